"""Reads of the incidents domain."""
