package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/disk"
	"github.com/tierdesk/tierdesk/disk/disktest"
	"github.com/tierdesk/tierdesk/node/config"
)

const volume = 256 << 20 // of a node's disk; a twentieth is its reserve

// onQuota runs a node on a disk of its own.
func onQuota(t *testing.T, c *config.Config) (*Node, *disktest.Quota) {
	t.Helper()
	quota := disktest.NewQuota(vfs.Default, volume)
	o := options(c)
	o.FS = quota
	n, err := Start(t.Context(), o)
	if err != nil {
		t.Fatalf("start node %s: %v", c.Node.ID, err)
	}
	t.Cleanup(func() { stop(t, n) })
	return n, quota
}

// tryCreate makes a ticket over HTTP and returns the answer's code, headers and body.
func tryCreate(t *testing.T, n *Node, token string) (int, http.Header, string) {
	t.Helper()
	return ask(t, n, http.MethodPost, "/api/v1/tickets", token, `{"ticket": {"title": "满"}}`)
}

func ask(t *testing.T, n *Node, method, path, token, body string) (int, http.Header, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, "http://"+n.HTTPAddr()+path, bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	all, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(all)
}

func tokenOf(t *testing.T, n *Node) string {
	t.Helper()
	token, err := signIn(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func awaitState(t *testing.T, n *Node, wanted ...disk.State) {
	t.Helper()
	eventually(t, fmt.Sprintf("the disk of %s is %v", n.config.Node.ID, wanted), func() string {
		room, _ := n.disk.Room()
		for _, state := range wanted {
			if room.State == state && (state != disk.OK || room.Reserve > 0) {
				return ""
			}
		}
		return fmt.Sprintf("%+v", room)
	})
}

func TestFullDiskRefusesWritesAndFreeSpaceTakesThemAgain(t *testing.T) {
	n, quota := onQuota(t, configuration(t, "n1"))
	awaitReady(t, n)
	awaitState(t, n, disk.OK)
	number, token := create(t, n, administratorOf(t, n), "之前"), tokenOf(t, n)

	quota.Take(1 << 20)
	awaitState(t, n, disk.Low, disk.Full)
	code, header, body := tryCreate(t, n, token)
	if code != http.StatusTooManyRequests || header.Get("Retry-After") == "" {
		t.Errorf("a write on a full disk: %d %v %s, want 429 with Retry-After", code, header, body)
	}
	for _, part := range []string{"DISK_FULL", "node n1", n.config.Node.DataDir, "MiB left", "free some space"} {
		if !strings.Contains(body, part) {
			t.Errorf("the answer %s does not say %q", body, part)
		}
	}
	if code, _, body := ask(t, n, http.MethodGet, "/api/v1/tickets/"+number, token, ""); code != http.StatusOK {
		t.Errorf("a read on a full disk: %d %s", code, body)
	}
	if code, _, body := ask(t, n, http.MethodGet, "/api/v1/tickets?orderBy=number", token, ""); code != http.StatusOK || !strings.Contains(body, number) {
		t.Errorf("a list on a full disk: %d %s", code, body)
	}
	if code, _, body := ask(t, n, http.MethodGet, "/readyz", "", ""); code != http.StatusServiceUnavailable || !strings.Contains(body, "MiB left") {
		t.Errorf("/readyz on a full disk: %d %s", code, body)
	}
	if overview, err := n.backend.Overview(t.Context()); err != nil || !strings.Contains(strings.Join(overview.Alarms, "\n"), "no room: node n1") {
		t.Errorf("the overview has %q, %v, want the alarm", overview.GetAlarms(), err)
	}

	quota.Give()
	awaitState(t, n, disk.OK)
	awaitReady(t, n)
	if code, _, body := tryCreate(t, n, token); code != http.StatusOK {
		t.Errorf("a write after space was freed: %d %s", code, body)
	}
	mustHave(t, n, number, "之前")
}

// Work is in the middle of the log when somebody takes all the room at once.
func TestWorkUnderWayOutlivesTheFullDisk(t *testing.T) {
	n, quota := onQuota(t, configuration(t, "n1"))
	awaitReady(t, n)
	awaitState(t, n, disk.OK)
	admin := administratorOf(t, n)
	var numbers []string
	taken := time.AfterFunc(200*time.Millisecond, func() { quota.Take(0) })
	defer taken.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for ctx.Err() == nil {
		number, err := tryTicket(ctx, n, admin, strings.Repeat("长", 10_000))
		if err != nil {
			if !strings.Contains(err.Error(), "the disk is full") {
				t.Fatalf("the first write that is refused: %v", err)
			}
			break
		}
		numbers = append(numbers, number)
	}
	for _, number := range numbers {
		mustHave(t, n, number, "满")
	}
	quota.Give()
	awaitState(t, n, disk.OK)
	awaitReady(t, n)
	if _, err := tryTicket(t.Context(), n, admin, "又可以了"); err != nil {
		t.Errorf("after space was freed: %v", err)
	}
	select {
	case err := <-n.Fault():
		t.Errorf("the node stopped: %v", err)
	default:
	}
}

func tryTicket(ctx context.Context, n *Node, actor *deskpb.Actor, text string) (string, error) {
	result, err := n.backend.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_Ticket{Ticket: &deskpb.TicketCommand{
		Actor: actor, Request: asked(),
		Verb: &deskpb.TicketCommand_Create{Create: &deskpb.Create{Ticket: &deskpb.Ticket{Title: "满", Description: text}}},
	}}})
	return result.GetTicket().GetNumber(), err
}

func TestLeadGoesToANodeWithRoom(t *testing.T) {
	var nodes []*Node
	disks := map[*Node]*disktest.Quota{}
	var join []string
	for _, id := range []string{"n1", "n2", "n3"} {
		c := configuration(t, id)
		c.Raft.BootstrapExpect, c.Raft.Join = 3, join
		n, quota := onQuota(t, c)
		nodes, disks[n], join = append(nodes, n), quota, append(join, n.GRPCAddr())
	}
	awaitReady(t, nodes...)
	admin := administratorOf(t, nodes[0])
	number := create(t, nodes[0], admin, "之前")
	leader := leaderOf(t, nodes)
	var others []*Node
	for _, n := range nodes {
		awaitState(t, n, disk.OK)
		if n != leader {
			others = append(others, n)
		}
	}

	disks[leader].Take(1 << 20)
	awaitState(t, leader, disk.Low, disk.Full)
	eventually(t, "another node leads", func() string {
		if leaderOf(t, nodes) == leader {
			return "the full one leads"
		}
		return ""
	})
	if _, err := tryTicket(t.Context(), leader, admin, ""); err == nil || !strings.Contains(err.Error(), "node "+leader.config.Node.ID) {
		t.Errorf("a write through the full node: %v, want that it is refused", err)
	}
	for _, n := range others {
		mustHave(t, leader, create(t, n, admin, "期间"), "期间")
	}

	// With a majority full the site takes no work, wherever it is asked.
	disks[others[0]].Take(1 << 20)
	awaitState(t, others[0], disk.Low, disk.Full)
	eventually(t, "the node with room refuses too", func() string {
		if _, err := tryTicket(t.Context(), others[1], admin, ""); err == nil || !strings.Contains(err.Error(), "the disk is full") {
			return fmt.Sprint(err)
		}
		return ""
	})
	for _, n := range nodes {
		mustHave(t, n, number, "之前")
	}

	disks[leader].Give()
	disks[others[0]].Give()
	awaitState(t, leader, disk.OK)
	awaitState(t, others[0], disk.OK)
	awaitReady(t, nodes...)
	for _, n := range nodes {
		eventually(t, "node "+n.config.Node.ID+" takes work again", func() string {
			if _, err := tryTicket(t.Context(), n, admin, ""); err != nil {
				return err.Error()
			}
			return ""
		})
	}
}

// leaderOf waits until one of the nodes leads. A leader that does not know yet that it was followed by another is not meant.
func leaderOf(t *testing.T, nodes []*Node) (leader *Node) {
	t.Helper()
	eventually(t, "a node leads", func() string {
		var latest uint64
		for _, n := range nodes {
			if leading, term, _ := n.replica.Leading(); leading && term > latest {
				leader, latest = n, term
			}
		}
		if latest == 0 {
			return "none does"
		}
		return ""
	})
	return leader
}

func TestSpentDiskIsRefusedAtTheStartInOneLine(t *testing.T) {
	c := configuration(t, "n1")
	quota := disktest.NewQuota(vfs.Default, volume)
	o := options(c)
	o.FS = quota
	quota.Take(1 << 20)
	n, err := Start(t.Context(), o)
	if err == nil {
		stop(t, n)
		t.Fatal("the node started on a full disk")
	}
	for _, part := range []string{c.Node.DataDir, "is full", "1 MiB left", "start the node again"} {
		if !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "\n") {
			t.Errorf("the error is %q, want one line with %q", err, part)
		}
	}
	quota.Give()
	if n, err = Start(t.Context(), o); err != nil {
		t.Fatalf("start with room: %v", err)
	}
	awaitReady(t, n)
	stop(t, n)
}

// stalledDisk is the environment variable that makes the test program be a node whose disk stalls.
const stalledDisk = "TIERDESK_TEST_STALLED_DISK"

// What waits for a stalled disk ends only with the process, so the node has one of its own. It must end by itself, with
// one line on what is wrong, although neither log nor store can be closed.
func TestStalledDiskEndsTheProcess(t *testing.T) {
	if os.Getenv(stalledDisk) != "" {
		os.Exit(untilStalled(t))
	}
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience) // for the start, the fault and the stop
	defer cancel()
	process := exec.CommandContext(ctx, os.Args[0], "-test.run", "^"+t.Name()+"$")
	process.Env = append(os.Environ(), stalledDisk+"=1", "TMPDIR="+t.TempDir()) // its own are not removed
	out, err := process.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Fatalf("it ends with %v, want exit 1:\n%s", err, out)
	}
	if said := string(out); !strings.Contains(said, "start the node again") || strings.Count(said, "\n") != 1 {
		t.Errorf("it says %q, want one line that says what to do", said)
	}
}

// untilStalled runs a node as the program does, and returns the exit code.
func untilStalled(t *testing.T) int {
	quota := disktest.NewQuota(vfs.Default, volume)
	o := options(configuration(t, "n1"))
	o.FS = quota
	n, err := Start(t.Context(), o)
	if err != nil {
		fmt.Println(err)
		return 2
	}
	awaitReady(t, n)
	admin := administratorOf(t, n)
	quota.Stall()
	go tryTicket(t.Context(), n, admin, "停") // it has no outcome
	select {
	case fault := <-n.Fault():
		began := time.Now()
		_ = n.Stop(t.Context()) // what it cannot close follows from the fault
		fmt.Println(fault)
		if time.Since(began) > longestStop { // a broken node does not wait so long
			return 3
		}
		return 1
	case <-time.After(patience):
		return 4
	}
}
