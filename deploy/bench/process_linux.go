package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// endsWithParent has a process killed when this one is gone.
func endsWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// ticksASecond is the unit of processor time in /proc, which Linux keeps at 100 for programs on every architecture.
const ticksASecond = 100

// processorTime is what the process has used, in user and kernel mode.
func (p *process) processorTime() (time.Duration, error) {
	return processorTimeOf([]int{p.command.Process.Pid})
}

// processorTimeOf is what these processes have used together.
func processorTimeOf(pids []int) (sum time.Duration, err error) {
	for _, pid := range pids {
		used, err := processorTimeOfOne(pid)
		if err != nil {
			return 0, fmt.Errorf("processor time of process %d: %w", pid, err)
		}
		sum += used
	}
	return sum, nil
}

func processorTimeOfOne(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The fields after the name, which stands in parentheses and may hold spaces: utime is the 14th of all, stime the 15th.
	const utime, afterName = 14, 3
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	var ticks int64
	for _, at := range []int{utime, utime + 1} {
		n, err := strconv.ParseInt(fields[at-afterName], 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksASecond, nil
}

// resident is the process's resident memory in bytes, and how much of it belongs to files.
func (p *process) resident() (all, files int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		return 0, 0, fmt.Errorf("memory of %s: %w", p.name, err)
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		kibibytes, _ := strconv.ParseInt(fields[1], 10, 64) // 0 on lines that are not asked for
		switch fields[0] {
		case "VmRSS:":
			all = kibibytes << 10
		case "RssFile:":
			files = kibibytes << 10
		}
	}
	return all, files, nil
}

// memoryOf is the memory of these processes together, in bytes: resident, and with what several share counted once.
func memoryOf(pids []int) (resident, proportional int64, err error) {
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			return 0, 0, fmt.Errorf("memory of process %d: %w", pid, err)
		}
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			if len(fields) < 2 {
				continue
			}
			kibibytes, _ := strconv.ParseInt(fields[1], 10, 64) // 0 on lines that are not asked for
			switch fields[0] {
			case "Rss:":
				resident += kibibytes << 10
			case "Pss:":
				proportional += kibibytes << 10
			}
		}
	}
	return resident, proportional, nil
}

// machine describes what the numbers were measured on.
func machine() string {
	model := "unknown processor"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	release := ""
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		release = strings.TrimSpace(string(text))
	}
	return model + ", Linux " + release
}

// syncDisks waits until everything written so far is on the disks.
func syncDisks() { syscall.Sync() }
