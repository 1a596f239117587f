package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/verify"
)

// act is something that happens to the lines or sites while people work.
type act struct {
	name string
	play func(ctx context.Context) (aftermath, error)
}

// aftermath is when an act's damage was mended, and the tickets that could not go on by then.
type aftermath struct {
	mended  time.Time
	waiting []*life
	moved   bool // their home stands elsewhere now
}

// wanAct is what an act brought.
type wanAct struct {
	Name    string  `json:"name"`
	Waiting int     `json:"waiting"`           // tickets that could not go on when the damage was mended
	Healed  float64 `json:"healedSeconds"`     // from then until every link is up and nothing waits at any site
	Closed  float64 `json:"closedSeconds"`     // from then until these tickets are closed and everything is at rest again
	Tickets int     `json:"tickets"`           // whose custodian, content and journal are the same at all sites of their paths
	Problem string  `json:"problem,omitempty"` // what was not as it must be; the acts end with it
}

type wanResult struct {
	Setting setting  `json:"setting"`
	Acts    []wanAct `json:"acts"`
}

// healWithin bounds the time in which a mended tree must come to rest.
const healWithin = 3 * time.Minute

// play plays the acts in turn, and compares all sites after each.
func (b *wan) play(ctx context.Context) error {
	for _, a := range []act{
		{"all sites are founded", b.found},
		{"work with all lines whole", b.quietDay},
		{"a county without its line, both ends at work", b.cutCounty},
		{fmt.Sprintf("the line of a city comes and goes every second for %s", b.flaps), b.flapCity},
		{fmt.Sprintf("the line of a county is late by %s each way", b.delay), b.slowDown},
		{"a city of three nodes is killed, all at once", func(ctx context.Context) (aftermath, error) { return b.killAll(ctx, "330100") }},
		{"the province is killed, all nodes at once", func(ctx context.Context) (aftermath, error) { return b.killAll(ctx, "330000") }},
		{"a city of three nodes is restored from a backup of the second act", b.restoreCity},
		{"a county and a copy of its disk from before run at once", b.copyCounty},
		{fmt.Sprintf("a county is moved to the other city while its lines come and go for %s", b.flaps), b.moveCounty},
	} {
		if err := b.perform(ctx, a); err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
	}
	return nil
}

func (b *wan) perform(ctx context.Context, a act) (err error) {
	say("%s …", a.name)
	r := wanAct{Name: a.name}
	defer func() {
		if err != nil {
			r.Problem = err.Error()
		}
		b.result.Acts = append(b.result.Acts, r)
	}()
	after, err := a.play(ctx)
	if err != nil {
		return err
	}
	r.Waiting = len(after.waiting)
	watched := time.Now()
	rested, err := b.tree.agree(ctx, healWithin)
	r.Healed = watched.Add(rested).Sub(after.mended).Seconds()
	if err != nil {
		return err
	}
	say("  nothing waits %.1f s after it was mended, and all sites agree; %d tickets go on", r.Healed, r.Waiting)
	for _, l := range after.waiting {
		if after.moved {
			if err := l.follow(ctx); err != nil {
				return err
			}
		}
		l.goOn()
	}
	left, err := playAll(ctx, after.waiting, lineWait)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("%d tickets still wait, one is %s", len(left), left[0].number)
	}
	limited, cancel := context.WithTimeout(ctx, healWithin)
	defer cancel()
	if err := verify.Settle(limited, b.tree.sites()); err != nil {
		return err
	}
	r.Closed = time.Since(after.mended).Seconds()
	r.Tickets, err = compareSites(ctx, b.tree.sites())
	say("  these are closed, and all sites agree on %d tickets", r.Tickets)
	return err
}

// found starts all sites. What is measured is the start.
func (b *wan) found(ctx context.Context) (aftermath, error) {
	began := time.Now()
	if err := b.tree.open(ctx); err != nil {
		return aftermath{}, err
	}
	return aftermath{mended: began}, b.tree.awaitUp(ctx, startWithin)
}

// Parts of the day's tickets, and how long a ticket is waited for while its line is cut.
const (
	someOf      = 2
	fewOf       = 5
	cutPatience = time.Second
)

func (b *wan) quietDay(ctx context.Context) (aftermath, error) {
	began := time.Now()
	if err := b.mustFinish(ctx, drawLives("quiet", b.tree.at(config.County), b.tickets/someOf)); err != nil {
		return aftermath{}, err
	}
	return aftermath{mended: began}, b.office(restoredCity).backUp(ctx)
}

// mustFinish plays lives that nothing keeps from being finished.
func (b *wan) mustFinish(ctx context.Context, lives []*life) error {
	waiting, err := playAll(ctx, lives, lineWait)
	if err == nil && len(waiting) > 0 {
		err = fmt.Errorf("%d tickets did not go on for %s, one is %s", len(waiting), lineWait, waiting[0].number)
	}
	return err
}

// cutCounty pulls a county's cable. The city has some of its tickets by then, and goes on with them; the county opens new
// ones, and says more about the old ones.
func (b *wan) cutCounty(ctx context.Context) (aftermath, error) {
	county := b.office("330106")
	var above []*life
	for i := range b.tickets / fewOf {
		above = append(above, halfway(fmt.Sprintf("above-%d", i), county.path()))
	}
	if err := b.mustFinish(ctx, above); err != nil {
		return aftermath{}, err
	}
	over := time.After(b.outage)
	if err := b.cables[county.id].set(ctx, false); err != nil {
		return aftermath{}, err
	}
	for _, l := range above {
		l.goOn()
	}
	lives := append(above, drawLives("cut", []*office{county}, b.tickets)...)
	lives = append(lives, drawLives("beside", b.others(county), b.tickets/fewOf)...)
	waiting, err := playAll(ctx, lives, cutPatience)
	if err != nil {
		return aftermath{}, err
	}
	if err := b.outlast(ctx, over, county.desk.Sites, county.parent); err != nil {
		return aftermath{}, err
	}
	return aftermath{mended: time.Now(), waiting: waiting}, b.cables[county.id].set(ctx, true)
}

// outlast waits until an outage is over, and wants a site to have noticed by then that a neighbour is out of reach.
func (b *wan) outlast(ctx context.Context, over <-chan time.Time, site apipb.SitesClient, peer string) error {
	select {
	case <-over:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	link, err := linkOf(ctx, site, peer)
	if err == nil && link.State == apipb.LinkStatus_UP {
		err = fmt.Errorf("the link with %s is up although it was out of reach for %s", peer, b.outage)
	}
	return err
}

// others are the counties beside one.
func (b *wan) others(but *office) (all []*office) {
	for _, o := range b.tree.at(config.County) {
		if o != but {
			all = append(all, o)
		}
	}
	return all
}

// flapCity pulls and plugs a city's cable every second while all counties work.
func (b *wan) flapCity(ctx context.Context) (aftermath, error) {
	return b.flap(ctx, []*cable{b.cables["330100"]}, func(round int) []*life {
		return drawLives(fmt.Sprintf("flap-%d", round), b.tree.at(config.County), 10)
	})
}

// flap pulls and plugs cables every second while round after round of tickets is worked on, with a second between them.
func (b *wan) flap(ctx context.Context, cables []*cable, round func(number int) []*life) (after aftermath, err error) {
	const every, patience = time.Second, 3 * time.Second
	playing, stop := context.WithCancel(ctx)
	defer stop()
	var work sync.WaitGroup
	var failed error
	work.Go(func() {
		for number := 0; playing.Err() == nil && failed == nil; number++ {
			var left []*life
			left, failed = playAll(ctx, round(number), patience)
			after.waiting = append(after.waiting, left...)
			select {
			case <-time.After(every):
			case <-playing.Done():
			}
		}
	})
	for began, plugged := time.Now(), false; time.Since(began) < b.flaps && err == nil; plugged = !plugged {
		if err = plug(ctx, cables, plugged); err == nil {
			select {
			case <-time.After(every):
			case <-ctx.Done():
				err = context.Cause(ctx)
			}
		}
	}
	err = errors.Join(err, plug(ctx, cables, true))
	after.mended = time.Now()
	stop()
	work.Wait()
	return after, errors.Join(err, failed)
}

// plug plugs cables in or pulls them.
func plug(ctx context.Context, cables []*cable, plugged bool) error {
	var errs []error
	for _, c := range cables {
		errs = append(errs, c.set(ctx, plugged))
	}
	return errors.Join(errs...)
}

// slowDown makes a county's line late for the rest of the acts.
func (b *wan) slowDown(ctx context.Context) (aftermath, error) {
	county := b.office(slowCounty)
	county.line.slow(b.delay)
	return aftermath{mended: time.Now()}, b.mustFinish(ctx, drawLives("late", []*office{county}, b.tickets/fewOf))
}

// killAll kills the nodes of a site, has the counties work without it, and starts the nodes again.
func (b *wan) killAll(ctx context.Context, id string) (aftermath, error) {
	dead, over := b.office(id), time.After(b.outage)
	var dying sync.WaitGroup
	for _, n := range dead.nodes {
		dying.Go(n.kill)
	}
	dying.Wait()
	if err := dead.disconnect(); err != nil {
		return aftermath{}, err
	}
	var lives []*life
	for i, home := range b.tree.at(config.County) {
		for j := range b.tickets / fewOf {
			l := drawLife(fmt.Sprintf("without-%s-%d-%d", id, i, j), home.path())
			l.endBefore(dead)
			lives = append(lives, l)
		}
	}
	waiting, err := playAll(ctx, lives, cutPatience)
	if err != nil {
		return aftermath{}, err
	}
	for _, l := range lives {
		if l.idle() && l.end < len(l.steps) {
			waiting = append(waiting, l)
		}
	}
	if err := b.outlast(ctx, over, b.below(dead).desk.Sites, id); err != nil {
		return aftermath{}, err
	}
	again := time.Now()
	return aftermath{mended: again, waiting: waiting}, dead.open(ctx, nil)
}

// below is an office whose parent this one is.
func (b *wan) below(above *office) *office {
	for _, o := range b.tree.offices {
		if o.above == above {
			return o
		}
	}
	return nil
}

func (r wanResult) print(w *workshop) error {
	if w.json {
		return printJSON(r)
	}
	rows := [][]string{{"act", "tickets held up", "nothing waits after s", "these closed after s", "tickets compared", "all sites agree"}}
	var problems []string
	for _, a := range r.Acts {
		verdict := "yes"
		if a.Problem != "" {
			verdict = "NO"
			problems = append(problems, fmt.Sprintf("\n%s:\n%s\n", a.Name, a.Problem))
		}
		rows = append(rows, []string{a.Name, fmt.Sprint(a.Waiting), fmt.Sprintf("%.1f", a.Healed), fmt.Sprintf("%.1f", a.Closed),
			fmt.Sprint(a.Tickets), verdict})
	}
	fmt.Printf("%s\n\n%s%s", r.Setting, table(rows), strings.Join(problems, ""))
	return nil
}
