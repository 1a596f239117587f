package replication

import "sync"

// tasks counts goroutines, so that who started them can wait for them as long as it likes and no longer.
type tasks struct {
	mu      sync.Mutex // guards running, closed
	running int
	closed  bool
	idle    chan struct{} // closed when the tasks are closed and none runs
}

func newTasks() *tasks { return &tasks{idle: make(chan struct{})} }

// spawn starts a task; false when they are closed.
func (t *tasks) spawn(task func()) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.running++
	go func() {
		defer t.ended()
		task()
	}()
	return true
}

func (t *tasks) ended() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running--
	if t.closed && t.running == 0 {
		close(t.idle)
	}
}

// close lets no further task begin. It is called once.
func (t *tasks) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	if t.running == 0 {
		close(t.idle)
	}
}
