#!/bin/sh
# Write down the command that links an exercise's check program, then do it: with a student's file it is linked again.
record=$1
shift
printf '%s\0' "$@" >"$record" && exec "$@"
