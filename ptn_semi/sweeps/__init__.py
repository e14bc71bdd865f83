"""Sweeps of loss weights and learning rates with KerasTuner."""
