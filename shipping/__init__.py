"""What is assembled for other machines than this one; not in the wheel."""
