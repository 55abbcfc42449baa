"""How a library is moved: snapshots and exports, and the way back."""
