"""What a library holds, and whether it is sound: status, doctor, salvage."""
