//go:build !linux

package main

import (
	"errors"
	"runtime"
	"syscall"
	"time"
)

func endsWithParent() *syscall.SysProcAttr { return nil }

var errOnlyLinux = errors.New("this is measured on Linux only")

func (p *process) processorTime() (time.Duration, error) { return 0, errOnlyLinux }

func (p *process) resident() (all, files int64, err error) { return 0, 0, errOnlyLinux }

func processorTimeOf([]int) (time.Duration, error) { return 0, errOnlyLinux }

func memoryOf([]int) (resident, proportional int64, err error) { return 0, 0, errOnlyLinux }

func machine() string { return runtime.GOOS + "/" + runtime.GOARCH }

func syncDisks() {}
