package node

import (
	"cmp"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// How long strangers call, and what their calls are drawn from, unless TIERDESK_SIEGE and TIERDESK_SIEGE_SEED say otherwise:
// TIERDESK_SIEGE=5m TIERDESK_SIEGE_SEED=7 go test ./node -run Siege -v.
const (
	siegeTime = 8 * time.Second
	siegeSeed = 1
)

// siegeOf reads how long the siege lasts and from what it is drawn.
func siegeOf(t *testing.T) (lasts time.Duration, seed uint64) {
	t.Helper()
	lasts, err := time.ParseDuration(cmp.Or(os.Getenv("TIERDESK_SIEGE"), siegeTime.String()))
	if err != nil {
		t.Fatalf("TIERDESK_SIEGE: %v", err)
	}
	seed, err = strconv.ParseUint(cmp.Or(os.Getenv("TIERDESK_SIEGE_SEED"), strconv.Itoa(siegeSeed)), 10, 64)
	if err != nil {
		t.Fatalf("TIERDESK_SIEGE_SEED: %v", err)
	}
	return lasts, seed
}

// TestSiege lets strangers without a token, with a wrong one, and with those of people of all kinds call every method over gRPC and
// over HTTP, with sensible and with senseless messages, until the time is over: nothing breaks down, nobody waits for ever, and the
// node still serves its administrator afterwards.
func TestSiege(t *testing.T) {
	lasts, seed := siegeOf(t)
	b := besiege(t, seed)
	// Another life of the site ends all sessions and holds older tickets back, so it comes last.
	last := b.entrance(apipb.Recoveries_RecoverSite_FullMethodName)
	b.entrances = slices.DeleteFunc(b.entrances, func(e entrance) bool { return e.name == last.name })
	calls, began := 0, time.Now()
	for i := range b.strangers {
		who := b.strangers[len(b.strangers)-1-i] // who may do most comes before who may do nothing, so that there is something to call about
		for _, to := range b.entrances {
			b.callGRPC(t, who, to, b.maker.request(to, true))
			b.callHTTP(t, who, to, b.maker.request(to, true), true)
			calls += 2
		}
	}
	for time.Since(began) < lasts && !t.Failed() {
		who, to := pick(b.maker.random, b.strangers), pick(b.maker.random, b.entrances)
		sober := b.maker.random.IntN(2) == 0
		sent := b.maker.request(to, sober)
		if b.maker.random.IntN(2) == 0 {
			b.callGRPC(t, who, to, sent)
		} else {
			b.callHTTP(t, who, to, sent, sober)
		}
		calls++
	}
	for _, who := range b.strangers {
		b.callGRPC(t, who, last, b.maker.request(last, true))
		b.callHTTP(t, who, last, b.maker.request(last, true), true)
	}
	b.mustStand(t)
	if len(b.served) < len(b.entrances)/3 {
		t.Errorf("only %d of %d methods did what was asked: the calls do not get far enough to find anything", len(b.served), len(b.entrances))
	}
	t.Logf("%d calls in %v, drawn from the seed %d; %d of %d methods did what was asked at least once", calls,
		time.Since(began).Round(time.Millisecond), seed, len(b.served), len(b.entrances))
}
