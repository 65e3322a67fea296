"""Show a run or an enhancement: HTML pages, tables and curves, made from arrays and dicts."""
