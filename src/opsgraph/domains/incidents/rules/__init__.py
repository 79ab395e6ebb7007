"""Decisions of the incidents domain."""
