"""The whole store on one machine: embedded servers and the supervisor of `script/server`."""
