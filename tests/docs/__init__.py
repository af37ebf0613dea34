"""Tests of the documentation that need no cluster; make check runs them."""
