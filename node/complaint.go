package node

import "sync"

// complaint is what an operator should see to. The zero one is none. Its methods are safe for concurrent use.
type complaint struct {
	mu       sync.Mutex // guards sentence
	sentence string
}

// put takes up how it stands now, "" when all is well. It tells whether that is a complaint other than the one before.
func (c *complaint) put(sentence string) (fresh bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fresh = sentence != "" && sentence != c.sentence
	c.sentence = sentence
	return fresh
}

// alarms tells of it.
func (c *complaint) alarms() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sentence == "" {
		return nil
	}
	return []string{c.sentence}
}
