"""Writes of the incidents domain."""
