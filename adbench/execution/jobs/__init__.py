"""What runs inside a job's own process: the only place where plugin code is called."""
