"""The runner for devices from a checkout, and what toolchains for NPUs need (NPU.md)."""
