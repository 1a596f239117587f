package tiers

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// majority is a site of which only the majority is asked.
type majority struct {
	Site
	asked atomic.Int64
	lost  atomic.Bool
}

func (m *majority) Barrier(context.Context) error {
	m.asked.Add(1)
	if m.lost.Load() {
		return errors.New("no majority")
	}
	return nil
}

// However many streams live, the majority is asked for once for all of them; without any it is left alone.
func TestOneProofServesAllStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := &majority{}
		n := &Tiers{o: Options{Site: site}, pace: defaultPace(), proof: newProof(), stopping: make(chan struct{})}
		n.running.Go(n.keepProof)
		const span = 10 * time.Second
		perSpan := int64(span / (n.pace.beat / 2))

		time.Sleep(span)
		if got := site.asked.Load(); got != 0 {
			t.Errorf("without a stream the majority was asked for %d times", got)
		}
		var releases []func()
		for range 12 {
			releases = append(releases, n.proof.need())
		}
		time.Sleep(span)
		if got := site.asked.Load(); got < perSpan || got > perSpan+1 {
			t.Errorf("for 12 streams the majority was asked for %d times in %s, want %d", got, span, perSpan)
		}
		if age := n.proof.age(); age > n.pace.beat {
			t.Errorf("the proof is %s old while streams live, want at most %s", age, n.pace.beat)
		}
		site.lost.Store(true)
		time.Sleep(span)
		if age := n.proof.age(); age < span-n.pace.beat {
			t.Errorf("the proof is %s old after %s without a majority", age, span)
		}
		for _, release := range releases {
			release()
		}
		time.Sleep(n.pace.beat)
		asked := site.asked.Load()
		time.Sleep(span)
		if got := site.asked.Load(); got != asked {
			t.Errorf("after the last stream the majority was asked for %d times more", got-asked)
		}
		close(n.stopping)
		n.running.Wait()
	})
}
