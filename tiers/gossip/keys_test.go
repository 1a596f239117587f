package gossip

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// always reads the same keys; none for a nil key.
func always(key []byte) func() ([][]byte, error) {
	return func() ([][]byte, error) {
		if key == nil {
			return nil, nil
		}
		return [][]byte{key}, nil
	}
}

// keyFile is an operator's list of keys that may be changed.
type keyFile struct {
	mu   sync.Mutex // guards list and err
	list [][]byte
	err  error
}

func (f *keyFile) read() ([][]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.list), f.err
}

func (f *keyFile) set(err error, list ...[]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list, f.err = list, err
}

// A key is replaced in three steps at each node in turn. Whatever step the one has taken and the other has not, they talk;
// afterwards the old key opens nothing any more.
func TestKeysRotateWithoutAPause(t *testing.T) {
	old, fresh := bytes.Repeat([]byte{1}, keyLength), bytes.Repeat([]byte{2}, keyLength)
	var files [2]keyFile
	var nodes [2]*Gossip
	for i, o := range []Options{options(t, hangzhou), options(t, xihu)} {
		files[i].set(nil, old)
		o.Keys = files[i].read
		nodes[i] = start(t, o)
	}
	talk := func(step string) {
		t.Helper()
		for i, pool := range []*pool{nodes[0].pools[1], nodes[1].pools[0]} {
			if _, err := pool.list.Join([]string{nodes[1-i].advertised}); err != nil {
				t.Errorf("%s: %s does not reach %s: %v", step, nodes[i].self.Site, nodes[1-i].self.Site, err)
			}
		}
	}
	talk("before")
	for step, list := range [][][]byte{{old, fresh}, {fresh, old}, {fresh}} {
		for i := range nodes {
			files[i].set(nil, list...)
			if err := nodes[i].keys.follow(); err != nil {
				t.Fatal(err)
			}
			talk(fmt.Sprintf("step %d at %s", step+1, nodes[i].self.Site))
		}
	}
	o := options(t, ningbo)
	o.Self.Site, o.Self.Parent, o.Self.Tier = "330108", "330100", county
	o.Keys = always(old)
	stranger := start(t, o)
	if _, err := stranger.pools[0].list.Join([]string{nodes[0].advertised}); err == nil {
		t.Error("a node that has only the old key joined after it was removed")
	}
}

// The list is looked at again while the node runs; a list that cannot be used leaves the keys and raises an alarm.
func TestKeysThatCannotBeReadStayInUse(t *testing.T) {
	key, fresh := bytes.Repeat([]byte{1}, keyLength), bytes.Repeat([]byte{2}, keyLength)
	var file keyFile
	file.set(nil, key)
	o := options(t, hangzhou)
	o.Keys = file.read
	g := start(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		g.keepKeys(ctx, time.Millisecond)
	}()
	defer func() {
		cancel()
		<-ended
	}()
	for _, tt := range []struct {
		name   string
		err    error
		list   [][]byte
		reason string
	}{
		{"the file is gone", errors.New("no such file"), nil, "no such file"},
		{"the file is empty", nil, nil, "no key any more"},
		{"a key is short", nil, [][]byte{fresh, key[:16]}, "key 2 has 16 bytes"},
		{"there are too many keys", nil, slices.Repeat([][]byte{fresh}, maxKeys+1), "at most 8"},
	} {
		file.set(tt.err, tt.list...)
		eventually(t, "an alarm when "+tt.name, func() bool {
			alarms := g.Alarms()
			return len(alarms) == 1 && strings.Contains(alarms[0], tt.reason)
		})
		if got := g.keys.ring.GetPrimaryKey(); !bytes.Equal(got, key) {
			t.Errorf("when %s, the key in use is %x, want the one of before", tt.name, got)
		}
	}
	file.set(nil, fresh)
	eventually(t, "the new key is in use and the alarm has ended", func() bool {
		return len(g.Alarms()) == 0 && bytes.Equal(g.keys.ring.GetPrimaryKey(), fresh)
	})
	if got := g.keys.ring.GetKeys(); len(got) != 1 {
		t.Errorf("%d keys are in use, want the new one alone", len(got))
	}
}
