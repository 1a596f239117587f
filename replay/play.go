package replay

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/verify"
)

// PlayOptions says what Play replays, and where.
type PlayOptions struct {
	Path           string      // CSV file, plain or gzipped
	Addresses      [3][]string // gRPC addresses of the nodes of the county, the city and the province
	User, Password string      // valid at all three sites
	Workers        int
	Out            io.Writer
}

// settleTime bounds the wait for the tree to come to rest after the last call.
const settleTime = 2 * time.Minute

// Play replays a file over three running sites, says how far it is, and compares the sites at the end. It fails when
// they do not agree.
func Play(ctx context.Context, o PlayOptions) error {
	incidents, err := readFile(o.Path)
	if err != nil {
		return err
	}
	var sites [3]Site
	var compared []verify.Site
	for i, addresses := range o.Addresses {
		desk, err := verify.SignIn(ctx, addresses, o.User, o.Password)
		if err != nil {
			return err
		}
		defer desk.Close()
		overview, err := desk.Sites.GetSite(ctx, &apipb.GetSiteRequest{})
		if err != nil {
			return fmt.Errorf("ask %s for its site: %w", addresses[0], err)
		}
		site := overview.Site
		sites[i] = Site{ID: site.Id, Nodes: desk.Nodes}
		compared = append(compared, desk.Site(site.Id, site.Name, site.Parent))
	}
	for i := range 2 {
		if compared[i].Parent != sites[i+1].ID {
			return fmt.Errorf("site %s is below %q, not below %s; give a county, its city and its province", sites[i].ID, compared[i].Parent, sites[i+1].ID)
		}
	}
	result, err := Run(ctx, Options{Sites: sites, Incidents: incidents, Workers: o.Workers, Progress: progressLine(o.Out, len(incidents))})
	if err != nil {
		return err
	}
	fmt.Fprintf(o.Out, "%d incidents, %d steps: %d calls, %d escalations, %d returns in %s: %.0f calls/s\n",
		result.Incidents, result.Steps, result.Actions, result.Escalations, result.Returns,
		result.Elapsed.Round(time.Millisecond), float64(result.Actions)/result.Elapsed.Seconds())
	return judge(ctx, compared, o.Out)
}

// judge waits for rest and compares.
func judge(ctx context.Context, sites []verify.Site, out io.Writer) error {
	report, err := verify.CompareAtRest(ctx, sites, settleTime)
	if err != nil {
		return err
	}
	fmt.Fprint(out, report)
	if !report.Agree() {
		return errors.New("the sites do not agree")
	}
	return nil
}

// progressLine says how far a replay is, at most once a second.
func progressLine(out io.Writer, incidents int) func(Progress) {
	var last atomic.Int64
	return func(p Progress) {
		now := time.Now().Unix()
		if before := last.Load(); now > before && last.CompareAndSwap(before, now) {
			fmt.Fprintf(out, "%d of %d incidents, %d calls\n", p.Incidents, incidents, p.Actions)
		}
	}
}

// readFile reads a file of incidents; gzip is recognised by its first bytes.
func readFile(path string) ([]Incident, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the incidents: %w", err)
	}
	defer file.Close()
	buffered := bufio.NewReader(file)
	var source io.Reader = buffered
	if magic, err := buffered.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		unpacked, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, fmt.Errorf("unpack %s: %w", path, err)
		}
		source = unpacked
	}
	incidents, err := Read(source)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return incidents, nil
}
