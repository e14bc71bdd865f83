"""A training run: its loop, its workdir, the devices that share it, what TensorBoard shows."""
