package replication

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
)

// memory is a state machine that keeps the commands it applied, in order. What was marked survives a crash.
type memory struct {
	mu      sync.Mutex // guards all below
	state   memoryState
	durable memoryState
	entries int           // log entries applied since the start
	calls   int           // of Apply and Configuration since the start
	fail    error         // the next Apply returns it
	gate    chan struct{} // Apply waits until it is closed; nil: at once
}

type memoryState struct {
	Index, Term         uint64
	Configuration       []byte
	Commands            []string
	MarkIndex, MarkTerm uint64
	MarkConfiguration   []byte
}

func (m *memory) Apply(index, term uint64, entry []byte) (Results, error) {
	m.mu.Lock()
	gate := m.gate
	m.mu.Unlock()
	if gate != nil {
		<-gate
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return nil, m.fail
	}
	if index <= m.state.Index {
		return nil, fmt.Errorf("entry %d is applied again; the state is at %d", index, m.state.Index)
	}
	var commands [][]byte
	if err := json.Unmarshal(entry, &commands); err != nil {
		return nil, err
	}
	m.calls++
	if len(commands) > 0 {
		m.entries++
	}
	results := make([][]byte, len(commands))
	for i, command := range commands {
		m.state.Commands = append(m.state.Commands, string(command))
		results[i] = fmt.Appendf(nil, "%s is number %d", command, len(m.state.Commands))
	}
	m.state.Index, m.state.Term = index, term
	return encoded(results), nil
}

// encoded are results as they are told.
type encoded [][]byte

func (e encoded) Len() int                     { return len(e) }
func (e encoded) Encode(i int) ([]byte, error) { return e[i], nil }

func group(commands [][]byte) ([]byte, error) {
	if commands == nil {
		commands = [][]byte{}
	}
	return json.Marshal(commands)
}

func (m *memory) Configuration(index, term uint64, configuration []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	m.state.Index, m.state.Term, m.state.Configuration = index, term, configuration
	return nil
}

func (m *memory) Applied() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return max(m.state.Index, m.state.MarkIndex)
}

func (m *memory) Mark() (uint64, uint64, []byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state.MarkIndex, m.state.MarkTerm, m.state.MarkConfiguration, nil
}

func (m *memory) SetMark(index, term uint64, configuration []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if index > m.state.Index {
		return fmt.Errorf("mark %d is ahead of the state at %d", index, m.state.Index)
	}
	m.state.MarkIndex, m.state.MarkTerm, m.state.MarkConfiguration = index, term, configuration
	m.durable = m.state
	m.durable.Commands = slices.Clone(m.state.Commands)
	return nil
}

func (m *memory) Checkpoint() (io.ReadCloser, int64, uint64, uint64, []byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	copied, err := json.Marshal(m.state)
	configuration := m.state.Configuration
	if configuration == nil {
		configuration = m.state.MarkConfiguration
	}
	return io.NopCloser(bytes.NewReader(copied)), int64(len(copied)), m.state.Index, m.state.Term, configuration, err
}

func (m *memory) Restore(r io.Reader) error {
	var state memoryState
	if err := json.NewDecoder(r).Decode(&state); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state = state
	m.state.MarkIndex, m.state.MarkTerm, m.state.MarkConfiguration = state.Index, state.Term, state.Configuration
	m.durable = m.state
	m.durable.Commands = slices.Clone(m.state.Commands)
	return nil
}

// crashed is what a machine finds after it lost everything that was not marked.
func (m *memory) crashed() *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &memory{state: m.durable, durable: m.durable}
}

func (m *memory) commands() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.state.Commands)
}

func (m *memory) counts() (entries, calls int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.entries, m.calls
}

// block makes Apply wait until the returned function is called, once or more often.
func (m *memory) block() (release func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	gate := make(chan struct{})
	m.gate = gate
	return sync.OnceFunc(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.gate = nil
		close(gate)
	})
}

var errDiskGone = errors.New("the disk is gone")

func (m *memory) breakDown() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = errDiskGone
}
