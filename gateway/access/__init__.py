"""The only door to persons: purpose, policy, tracker."""
