package main

import "os"

// preempting are signals that batch systems alone send: none here.
var preempting []os.Signal
