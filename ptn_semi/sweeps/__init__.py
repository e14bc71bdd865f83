"""Sweeps of loss weights with KerasTuner."""
