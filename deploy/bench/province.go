package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"time"

	"github.com/tierdesk/tierdesk/node/config"
)

// provinceResult is what a whole province does on one machine, each office with one node.
type provinceResult struct {
	Setting   setting `json:"setting"`
	Sites     int     `json:"sites"`
	Processes bool    `json:"processes"`      // each node is one; otherwise all run within one
	Founded   float64 `json:"foundedSeconds"` // from the first start until every link is up, on empty disks
	Again     float64 `json:"againSeconds"`   // the same after all were ended, on their data
	AtRest    atRest  `json:"atRest"`         // after the founding
	Tickets   int     `json:"tickets"`
	Day       float64 `json:"daySeconds"`     // the first half of the tickets, until all sites agree
	Waiting   int     `json:"waiting"`        // tickets that waited for the province when its lines were mended
	Healed    float64 `json:"healedSeconds"`  // from the mended lines until nothing waits anywhere
	Evening   float64 `json:"eveningSeconds"` // until the waiting tickets are closed and all sites agree
	AfterDay  atRest  `json:"afterDay"`
}

// province runs a whole province on this machine: founds it, lets it rest, works through a day whose second half is without
// the lines between the cities and the province, mends them, and compares all sites.
func province(ctx context.Context, args []string) error {
	c := commonFlags("province")
	b := &provinceBench{}
	c.flags.StringVar(&b.file, "tree", "", "a CSV file with the columns code, name, level and parent; without it, made-up offices")
	c.flags.IntVar(&b.cities, "cities", 11, "made-up ones")
	c.flags.IntVar(&b.counties, "counties", 90, "made-up ones")
	c.flags.IntVar(&b.tickets, "tickets", 10_000, "of the day, opened at the counties")
	c.flags.DurationVar(&b.rest, "rest", 30*time.Second, "how long the idle sites are watched")
	c.flags.BoolVar(&b.processes, "processes", false, "each node is a process; otherwise all run within this one")
	c.flags.StringVar(&b.profiles, "profile", "", "a directory for profiles of this process with the idle sites in it")
	return c.inWorkshop(ctx, args, func(ctx context.Context, w *workshop) error {
		if b.cities < 1 || b.counties < 1 || b.tickets < 2 || b.rest < time.Second || b.processes && b.profiles != "" {
			return errors.New("-cities and -counties must be above zero, -tickets above one, -rest at least 1s, and -profile goes without -processes")
		}
		return b.run(ctx, w)
	})
}

type provinceBench struct {
	file             string
	cities, counties int
	tickets          int
	rest             time.Duration
	processes        bool
	profiles         string

	tree   *tree
	result provinceResult
}

func (b *provinceBench) run(ctx context.Context, w *workshop) (err error) {
	places := smallTree(b.cities, b.counties)
	if b.file != "" {
		if places, err = readTree(b.file); err != nil {
			return err
		}
	}
	b.result = provinceResult{Sites: len(places), Processes: b.processes, Tickets: b.tickets}
	if b.result.Setting, err = w.probeDisk(); err != nil {
		return err
	}
	b.tree, err = w.layOut(places, !b.processes)
	defer func() { err = errors.Join(err, b.tree.close()) }()
	if err != nil {
		return err
	}
	for _, part := range []func(context.Context) error{b.found, b.watchRest, b.day, b.cutOff, b.restart} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return b.result.print(w)
}

// startWithin bounds how long a tree may take until all links are up.
const startWithin = 10 * time.Minute

func (b *provinceBench) found(ctx context.Context) (err error) {
	b.result.Founded, err = b.start(ctx)
	say("%d sites were founded and all links up after %.1f s", b.result.Sites, b.result.Founded)
	return err
}

// start returns how many seconds passed until every link was up.
func (b *provinceBench) start(ctx context.Context) (float64, error) {
	began := time.Now()
	if err := b.tree.open(ctx); err != nil {
		return 0, err
	}
	err := b.tree.awaitUp(ctx, startWithin)
	return time.Since(began).Seconds(), err
}

// watchRest measures the sites while nobody works.
func (b *provinceBench) watchRest(ctx context.Context) (err error) {
	if _, err := b.tree.agree(ctx, startWithin); err != nil {
		return err
	}
	if b.profiles != "" {
		cpu, err := os.Create(filepath.Join(b.profiles, "rest-cpu.pprof"))
		if err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		defer cpu.Close()
		if err := pprof.StartCPUProfile(cpu); err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		defer func() { err = errors.Join(err, b.profileRest()) }()
	}
	b.result.AtRest, err = b.tree.rest(ctx, b.rest)
	say("at rest: %s", b.result.AtRest)
	return err
}

// profileRest ends the profile of the processor and writes those of the heap and the goroutines.
func (b *provinceBench) profileRest() error {
	pprof.StopCPUProfile()
	for _, name := range []string{"heap", "goroutine"} {
		file, err := os.Create(filepath.Join(b.profiles, "rest-"+name+".pprof"))
		if err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		if err := errors.Join(pprof.Lookup(name).WriteTo(file, 0), file.Close()); err != nil {
			return fmt.Errorf("profile: %w", err)
		}
	}
	return nil
}

// lineWait is how long a ticket's next step waits for its hand-over, when all lines are whole.
const lineWait = time.Minute

// day plays half of the tickets with all lines whole.
func (b *provinceBench) day(ctx context.Context) error {
	began := time.Now()
	waiting, err := playAll(ctx, b.lives("morning", b.tickets/2), lineWait)
	if err != nil {
		return err
	}
	if len(waiting) > 0 {
		return fmt.Errorf("%d tickets did not come in a minute to where they are worked on, though all lines are whole; one is %s", len(waiting), waiting[0].number)
	}
	_, err = b.tree.agree(ctx, startWithin)
	b.result.Day = time.Since(began).Seconds()
	say("half a day, %d tickets: %.0f s until all sites agreed", b.tickets/2, b.result.Day)
	return err
}

// cutOff plays the other half while no city reaches the province, and mends the lines.
func (b *provinceBench) cutOff(ctx context.Context) (err error) {
	const patience = 3 * time.Second
	b.tree.cut(silent)
	waiting, err := playAll(ctx, b.lives("afternoon", b.tickets-b.tickets/2), patience)
	if err != nil {
		return err
	}
	b.result.Waiting = len(waiting)
	say("%d tickets wait for the province", len(waiting))
	b.tree.cut(whole)
	mended := time.Now()
	healed, err := b.tree.agree(ctx, startWithin)
	if err != nil {
		return err
	}
	b.result.Healed = healed.Seconds()
	say("all agreed; at rest %.1f s after the lines were mended", b.result.Healed)
	if waiting, err = playAll(ctx, waiting, lineWait); err != nil {
		return err
	}
	if len(waiting) > 0 {
		return fmt.Errorf("%d tickets still wait after the lines were mended; one is %s", len(waiting), waiting[0].number)
	}
	if _, err := b.tree.agree(ctx, startWithin); err != nil {
		return err
	}
	b.result.Evening = time.Since(mended).Seconds()
	b.result.AfterDay, err = b.tree.rest(ctx, b.rest)
	say("at rest after the day: %s", b.result.AfterDay)
	return err
}

// restart ends all sites and starts them on their data.
func (b *provinceBench) restart(ctx context.Context) (err error) {
	if err := b.tree.close(); err != nil {
		return err
	}
	b.result.Again, err = b.start(ctx)
	return err
}

// lives are tickets of counties that are drawn.
func (b *provinceBench) lives(name string, count int) []*life {
	return drawLives(name, b.tree.at(config.County), count)
}

// atRest is what one site of a tree takes while nobody works. Sizes are in millions of bytes.
type atRest struct {
	Resident     float64 `json:"residentMB"`       // memory, shared pages counted at each process
	Proportional float64 `json:"proportionalMB"`   // memory, shared pages counted once
	Processor    float64 `json:"processorPercent"` // of one processor
	Goroutines   float64 `json:"goroutines"`       // 0 when the sites are processes
}

func (a atRest) String() string {
	return fmt.Sprintf("a site takes %.1f MB resident (%.1f MB with shared pages shared), %.2f %% of a processor, %.0f goroutines",
		a.Resident, a.Proportional, a.Processor, a.Goroutines)
}

// rest watches the sites for a while and shares what they take evenly.
func (t *tree) rest(ctx context.Context, length time.Duration) (atRest, error) {
	const million, percent = 1e6, 100
	pids := t.pids()
	before, err := processorTimeOf(pids)
	if err != nil {
		return atRest{}, err
	}
	select {
	case <-time.After(length):
	case <-ctx.Done():
		return atRest{}, context.Cause(ctx)
	}
	after, err := processorTimeOf(pids)
	if err != nil {
		return atRest{}, err
	}
	resident, proportional, err := memoryOf(pids)
	if err != nil {
		return atRest{}, err
	}
	sites := float64(len(t.offices))
	a := atRest{Resident: float64(resident) / million / sites, Proportional: float64(proportional) / million / sites,
		Processor: (after - before).Seconds() / length.Seconds() * percent / sites}
	if t.offices[0].inside {
		a.Goroutines = float64(runtime.NumGoroutine()) / sites
	}
	return a, nil
}

// pids are the processes of the sites: this one, when they are within it.
func (t *tree) pids() []int {
	if t.offices[0].inside {
		return []int{os.Getpid()}
	}
	var all []int
	for _, o := range t.offices {
		for _, p := range o.processes() {
			all = append(all, p.command.Process.Pid)
		}
	}
	return all
}

func (r provinceResult) print(w *workshop) error {
	if w.json {
		return printJSON(r)
	}
	how := "within one process"
	if r.Processes {
		how = "a process each"
	}
	goroutines := fmt.Sprintf("%.0f", r.AfterDay.Goroutines)
	if r.Processes {
		goroutines = "–"
	}
	number := func(format string, value float64) string { return fmt.Sprintf(format, value) }
	rows := [][]string{
		{fmt.Sprintf("%d sites of one node, %s", r.Sites, how), "measured"},
		{"founded until all links are up, s", number("%.1f", r.Founded)},
		{"started again until all links are up, s", number("%.1f", r.Again)},
		{"memory of a site at rest, MB", number("%.1f", r.AtRest.Proportional)},
		{"the same, after the day", number("%.1f", r.AfterDay.Proportional)},
		{"the same, shared pages counted at each process", number("%.1f", r.AfterDay.Resident)},
		{"processor time of a site at rest, % of one", number("%.2f", r.AtRest.Processor)},
		{"goroutines of a site", goroutines},
		{fmt.Sprintf("%d tickets with all lines whole until all sites agree, s", r.Tickets/2), number("%.0f", r.Day)},
		{"tickets that waited for the province when its lines were mended", fmt.Sprint(r.Waiting)},
		{"lines mended until nothing waits at any site, s", number("%.1f", r.Healed)},
		{"lines mended until these are closed and all sites agree, s", number("%.0f", r.Evening)},
	}
	fmt.Printf("%s\n\n%s", r.Setting, table(rows))
	return nil
}
