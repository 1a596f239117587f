//go:build !linux

package main

func (h *host) within(func() error) error { return errOnlyLinux }
