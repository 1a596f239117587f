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

// A key is replaced by putting the new one first at each node, in any order, and then by removing the old one. Whichever node
// has done what, all talk and nobody is taken for gone; afterwards the old key opens nothing any more.
func TestKeysRotateWithoutAPause(t *testing.T) {
	old, fresh := bytes.Repeat([]byte{1}, keyLength), bytes.Repeat([]byte{2}, keyLength)
	var files [3]keyFile
	var nodes [3]*Gossip
	for i, m := range []Member{zhejiang, hangzhou, xihu} {
		o := options(t, m, nodes[:i]...)
		files[i].set(nil, old)
		o.Keys = files[i].read
		nodes[i] = start(t, o)
	}
	neighbours := [3][]string{
		{"330000/n1", "330100/n1"}, {"330000/n1", "330100/n1", "330106/n1"}, {"330100/n1", "330106/n1"},
	}
	for i, n := range nodes {
		eventually(t, n.self.Site+" sees its neighbours", func() bool { return slices.Equal(alive(n), neighbours[i]) })
	}
	talk := func(step string) {
		t.Helper()
		for _, way := range []struct {
			from, to int
			label    string
		}{{0, 1, "330000"}, {1, 0, "330000"}, {1, 2, "330100"}, {2, 1, "330100"}} {
			if err := reaches(nodes[way.from], nodes[way.to], way.label); err != nil {
				t.Errorf("%s: %s does not reach %s: %v", step, nodes[way.from].self.Site, nodes[way.to].self.Site, err)
			}
		}
		for i, n := range nodes {
			if got := alive(n); !slices.Equal(got, neighbours[i]) {
				t.Errorf("%s: %s sees %v alive, want %v", step, n.self.Site, got, neighbours[i])
			}
		}
	}
	follow := func(n *Gossip) {
		t.Helper()
		if err := n.followKeys(); err != nil {
			t.Fatal(err)
		}
	}
	talk("before")
	for _, i := range []int{2, 0, 1} {
		files[i].set(nil, fresh, old)
		follow(nodes[i])
		talk("the new key is put first at " + nodes[i].self.Site)
	}
	for _, n := range nodes {
		eventually(t, n.self.Site+" uses the new key", func() bool {
			follow(n)
			return n.Keys().Use == Fingerprint(fresh)
		})
		talk(n.self.Site + " uses the new key")
	}
	for i := range nodes {
		files[i].set(nil, fresh)
		follow(nodes[i])
		talk("the old key is removed at " + nodes[i].self.Site)
	}
	o := options(t, ningbo)
	o.Keys = always(old)
	stranger := start(t, o)
	if err := reaches(stranger, nodes[0], "330000"); err == nil {
		t.Error("a node that has only the old key joined after it was removed")
	}
}

// reaches has one node join another one in a pool.
func reaches(from, to *Gossip, label string) error {
	for _, p := range from.pools {
		if p.label == label {
			_, err := p.list.Join([]string{to.advertised})
			return err
		}
	}
	return fmt.Errorf("%s is not in the pool of %s", from.self.Site, label)
}

// A key that a living neighbour does not know waits, and says for whom; one that waits for nobody, or has no other beside it, is
// used. A node that starts anew in the middle goes by what its neighbours knew before.
func TestAKeyWaitsForTheNeighboursThatDoNotKnowIt(t *testing.T) {
	old, fresh := bytes.Repeat([]byte{1}, keyLength), bytes.Repeat([]byte{2}, keyLength)
	both := Fingerprint(old) + " " + Fingerprint(fresh)
	for _, tt := range []struct {
		name    string
		knows   string // what the neighbour announces
		list    [][]byte
		use     []byte
		lacking []string
	}{
		{"the neighbour knows the old one", Fingerprint(old), [][]byte{fresh, old}, old, []string{"330000/n1"}},
		{"the neighbour knows both", both, [][]byte{fresh, old}, fresh, nil},
		{"the neighbour tells nothing", "", [][]byte{fresh, old}, fresh, nil},
		{"the old one is gone", Fingerprint(old), [][]byte{fresh}, fresh, []string{"330000/n1"}},
		{"the new one is behind", both, [][]byte{old, fresh}, old, nil},
	} {
		for _, living := range []bool{true, false} {
			d := newDirectory(hangzhou)
			neighbour := zhejiang
			neighbour.Keys = tt.knows
			d.heard("330000", neighbour, "127.0.0.1:1", time.Now())
			if !living {
				d.left("330000", "330000/n1", time.Now())
			}
			k, err := newKeys(func() ([][]byte, error) { return tt.list, nil }, d.lacking)
			if err != nil {
				t.Fatal(err)
			}
			state := k.standing()
			if !bytes.Equal(k.ring.GetPrimaryKey(), tt.use) || state.Use != Fingerprint(tt.use) || !slices.Equal(state.Lacking, tt.lacking) {
				t.Errorf("%s (living: %v): uses %s and waits for %v, want %s and %v", tt.name, living, state.Use, state.Lacking, Fingerprint(tt.use), tt.lacking)
			}
		}
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
