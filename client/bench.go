package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/load"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// bench is one invocation of the command.
type bench struct {
	*console
	servers        []string
	kind           string
	clients        []int
	duration, warm time.Duration
	count          int64
	size           int
	connections    int
	agreed         bool // to tickets that are opened and stay
}

// The most that a bench takes on, so that a slip of the finger does not end this machine or its ports.
const (
	mostClients     = 10_000
	mostConnections = 100
)

func (c *console) benchCommand() *cobra.Command {
	b := &bench{console: c}
	kinds := make([]string, 0, len(load.Kinds()))
	for _, kind := range load.Kinds() {
		kinds = append(kinds, string(kind))
	}
	cmd := &cobra.Command{
		Use: "bench", Short: "压测: put a running site under load and tell its rates and latencies", Args: takes(),
		Long: "压测: put a running site under load and tell its rates and latencies\n\n" +
			"Each client calls again as soon as it was answered. The loads of --clients run one after the other. A kind that\n" +
			"creates opens real tickets at the site, which stay in its lists and numbers: it must be agreed to with\n" +
			"--create-tickets.",
	}
	f := cmd.Flags()
	f.StringVar(&b.kind, "kind", string(load.Read), "what is called: "+strings.Join(kinds, ", "))
	f.IntSliceVar(&b.clients, "clients", []int{1, 16, 64}, "how many clients call at once, one load for each number")
	f.DurationVar(&b.duration, "duration", 10*time.Second, "of each load")
	f.DurationVar(&b.warm, "warm-up", 2*time.Second, "before each load, called alike and not measured")
	f.Int64Var(&b.count, "count", 0, "end each load after so many calls, the warm-up included")
	f.IntVar(&b.size, "size", 1024, "bytes of a created ticket's description")
	f.IntVar(&b.connections, "connections", 4, "to each server; clients share them evenly")
	f.BoolVar(&b.agreed, "create-tickets", false, "agree that real tickets are opened and stay")
	f.StringSliceVar(&b.servers, "server", nil, "nodes of one site to call, as for other commands (TIERDESK_SERVER; "+defaultServer+")")
	f.StringVar(&c.target.ca, "ca", "", "file with the certificates to trust for https")
	f.StringVar(&c.target.token, "token", "", "who calls: a token of tierdesk token create (TIERDESK_TOKEN)")
	f.DurationVar(&c.target.timeout, "timeout", defaultTimeout, "how long to wait for each answer")
	f.BoolVar(&c.json, "json", false, "print each load's report as JSON, one line each")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := cmp.Or(flagsAreText(cmd), b.validate()); err != nil {
			return err
		}
		return b.run(cmd.Context(), cmd.OutOrStdout())
	}
	return cmd
}

func (b *bench) validate() error {
	kind := load.Kind(b.kind)
	switch {
	case !slices.Contains(load.Kinds(), kind):
		return Usage("--kind is %q: use one of %v", b.kind, load.Kinds())
	case len(b.clients) == 0:
		return Usage("--clients is empty: give one or more numbers, such as 1,16,64")
	case b.duration <= 0:
		return Usage("--duration is %s: give a time above zero, such as 10s", b.duration)
	case b.warm < 0:
		return Usage("--warm-up is %s: give 0s or more", b.warm)
	case b.count < 0:
		return Usage("--count is %d: give a number above zero, or leave it out", b.count)
	case b.size < 1 || b.size > desk.MaxText:
		return Usage("--size is %d: give 1 to %d bytes", b.size, desk.MaxText)
	case b.connections < 1 || b.connections > mostConnections:
		return Usage("--connections is %d: give 1 to %d", b.connections, mostConnections)
	}
	for _, n := range b.clients {
		if n < 1 || n > mostClients {
			return Usage("--clients holds %d: give numbers from 1 to %d", n, mostClients)
		}
	}
	if kind.Creates() && !b.agreed {
		return Usage("--kind %s opens real tickets at the site, which stay: add --create-tickets to agree, or use --kind read", kind)
	}
	return nil
}

// run connects, makes sure that the nodes are there and know who calls, and runs the loads.
func (b *bench) run(ctx context.Context, out io.Writer) error {
	servers := b.servers
	if len(servers) == 0 {
		servers = []string{cmp.Or(b.env.Getenv("TIERDESK_SERVER"), defaultServer)}
	}
	b.target.token = cmp.Or(b.target.token, b.env.Getenv("TIERDESK_TOKEN"))
	var lines []grpc.ClientConnInterface
	for round := range b.connections {
		for _, server := range servers {
			t := b.target
			t.server, t.once = server, true
			node, err := connect(t)
			if err != nil {
				return err
			}
			defer node.close()
			lines = append(lines, node.conn)
			if round == 0 {
				if _, err := node.sites.GetSite(ctx, &apipb.GetSiteRequest{}); err != nil {
					return err
				}
			}
		}
	}
	calls, err := load.NewDesk(load.DeskOptions{Connections: lines, TextBytes: b.size, Attempt: b.target.timeout})
	if err != nil {
		return err
	}
	if load.Kind(b.kind) == load.Read {
		known, err := calls.Learn(ctx)
		if err != nil {
			return err
		}
		if known == 0 {
			return &Failure{Code: ExitRefused, Line: "the site has no ticket that could be read: create some first"}
		}
	}
	return b.loads(ctx, calls, b.printer(out))
}

// loads runs one load after the other and prints each as it ends.
func (b *bench) loads(ctx context.Context, calls *load.Desk, out *printer) error {
	call, err := calls.Call(load.Kind(b.kind))
	if err != nil {
		return err
	}
	var columns table
	for i, clients := range b.clients {
		report, err := load.Run(ctx, load.Options{Clients: clients, Duration: b.duration, WarmUp: b.warm, Count: b.count,
			Progress: b.progress(out, clients)}, call)
		b.wipe()
		if report != nil && report.Done > 0 {
			if err := b.print(out, &columns, report, i == 0); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, context.Canceled):
			return &Failure{Code: ExitFailed, Line: "interrupted", Cause: err}
		case err != nil:
			return err
		case report.Done == 0:
			return &Failure{Code: ExitUnreachable, Line: fmt.Sprintf("no call of %d clients was answered (%s): look at tierdesk site status",
				clients, counts(failures(report)))}
		}
	}
	return nil
}

// failures are the calls that failed, of all kinds, by their code.
func failures(r *load.Report) map[string]int64 {
	sum := make(map[string]int64)
	for _, row := range r.Rows {
		for code, n := range row.Errors {
			sum[code] += n
		}
	}
	return sum
}

// clearLine takes the cursor to the line's begin and erases the line.
const clearLine = "\r\x1b[K"

// progress tells those who watch how far a load is; nil when nobody does.
func (b *bench) progress(out *printer, clients int) func(load.Progress) {
	if b.env.Progress == nil {
		return nil
	}
	return func(p load.Progress) {
		words := out.say(phrase{"%d 个客户端：已用 %s，完成 %d，失败 %d", "%d clients: %s, %d calls done, %d failed"})
		fmt.Fprintf(b.env.Progress, clearLine+words, clients, p.Elapsed.Round(time.Second), p.Calls, p.Errors)
	}
}

func (b *bench) wipe() {
	if b.env.Progress != nil {
		fmt.Fprint(b.env.Progress, clearLine)
	}
}

// print writes a load's report: one line of JSON, or its rows.
func (b *bench) print(out *printer, columns *table, r *load.Report, first bool) error {
	if out.json {
		line, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("encode the report as JSON: %w", err)
		}
		return out.write(string(line) + "\n")
	}
	var rows [][]string
	if first {
		rows = append(rows, out.header(phrase{"调用", "KIND"}, phrase{"客户端", "CLIENTS"}, phrase{"次数", "CALLS"},
			phrase{"每秒", "RATE/S"}, phrase{"平均毫秒", "MEAN MS"}, phrase{"P50", "P50"}, phrase{"P90", "P90"}, phrase{"P99", "P99"},
			phrase{"P99.9", "P99.9"}, phrase{"最大", "MAX"}, phrase{"重试", "RETRIES"}, phrase{"失败", "ERRORS"}))
	}
	for _, row := range r.Rows {
		l := row.Latency
		rows = append(rows, []string{string(row.Kind), fmt.Sprint(r.Clients), fmt.Sprint(row.Calls), fmt.Sprintf("%.0f", row.Rate),
			millis(l.Mean), millis(l.P50), millis(l.P90), millis(l.P99), millis(l.P999), millis(l.Max), counts(row.Retries), counts(row.Errors)})
	}
	return out.write(columns.layOut(rows))
}

func millis(ms float64) string { return fmt.Sprintf("%.2f", ms) }

// counts are numbers by code, such as "Unavailable 3"; a zero when there are none.
func counts(byCode map[string]int64) string {
	if len(byCode) == 0 {
		return "0"
	}
	var all []string
	for _, code := range slices.Sorted(maps.Keys(byCode)) {
		all = append(all, fmt.Sprintf("%s %d", code, byCode[code]))
	}
	return strings.Join(all, ", ")
}
