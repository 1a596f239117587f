package node

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/web/live"
)

// signedIn is the browser of somebody who has signed in.
func signedIn(t *testing.T, n *Node, user, password string) *visitor {
	t.Helper()
	v := visit(t, n)
	v.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if status, page := v.send("/sign-in", url.Values{"user": {user}, "password": {password}}); status != http.StatusSeeOther {
		t.Fatalf("%s signs in: %d %s", user, status, page)
	}
	return v
}

// hire makes an account with a password of its own, and returns a browser of the person at a node.
func hire(t *testing.T, admin *visitor, at *Node, user map[string]any) *visitor {
	t.Helper()
	name, chosen := user["name"].(string), "chosen by "+user["name"].(string)
	admin.call("/api/v1/users", admin.token(), map[string]any{"user": user, "password": "made up by admin"})
	var v *visitor
	eventually(t, name+" is known", func() string {
		v = visit(t, at)
		if _, page := v.send("/sign-in", url.Values{"user": {name}, "password": {"made up by admin"}}); !strings.Contains(page, "/password") {
			return page
		}
		return ""
	})
	v.send("/password", url.Values{"current": {"made up by admin"}, "password": {chosen}, "again": {chosen}})
	return signedIn(t, at, name, chosen)
}

// get fetches a page.
func (v *visitor) get(path string) (status int, page string) {
	v.t.Helper()
	response, err := v.http.Get(v.base + path)
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// listening is an open stream.
type listening struct {
	t      *testing.T
	status int
	events chan live.Events // closed when the stream has ended
	broke  error            // what broke the stream off; written before events is closed
}

// listen opens a stream until the test ends.
func (v *visitor) listen(query string) *listening {
	v.t.Helper()
	ctx, cancel := context.WithCancel(v.t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.base+"/live?"+query, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	response, err := (&http.Client{Jar: v.http.Jar}).Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	l := &listening{t: v.t, status: response.StatusCode, events: make(chan live.Events, 1000)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer close(l.events)
		lines := bufio.NewScanner(response.Body)
		for lines.Scan() {
			if data, is := strings.CutPrefix(lines.Text(), "data: "); is {
				var e live.Events
				if err := json.Unmarshal([]byte(data), &e); err != nil {
					l.t.Errorf("an event says %q: %v", data, err)
				}
				l.events <- e
			}
		}
		l.broke = lines.Err()
	}()
	v.t.Cleanup(func() {
		cancel()
		response.Body.Close()
		<-ended
	})
	return l
}

// hear waits until an event is of a kind, and returns all that was heard.
func (l *listening) hear(what string, is func(live.Events) bool) (heard []live.Events) {
	l.t.Helper()
	limit := time.After(patience)
	for {
		select {
		case e, open := <-l.events:
			if !open {
				l.t.Fatalf("the stream ended before it told %s; it told %v", what, heard)
			}
			if heard = append(heard, e); is(e) {
				return heard
			}
		case <-limit:
			l.t.Fatalf("no event told %s; told was %v", what, heard)
		}
	}
}

// ends waits until the stream has ended, and returns what broke it off, nil when it ended in order.
func (l *listening) ends(why string) error {
	l.t.Helper()
	limit := time.After(patience)
	for {
		select {
		case _, open := <-l.events:
			if !open {
				return l.broke
			}
		case <-limit:
			l.t.Fatalf("the stream goes on although %s", why)
		}
	}
}

func ofTicket(e live.Events) bool   { return e.Ticket }
func ofLine(e live.Events) bool     { return e.Line }
func ofPresence(e live.Events) bool { return e.Presence }

// What one node of a site does is told at every other one, and nothing of it to who may not see it.
func TestPagesHearOfChangesAtEveryNode(t *testing.T) {
	nodes := startThree(t)
	actor := administratorOf(t, nodes[0])
	first := create(t, nodes[0], actor, "打印机无法打印")
	mustHave(t, nodes[2], first, "打印机无法打印")
	admin := signedIn(t, nodes[0], "admin", password)
	requester := hire(t, admin, nodes[2], map[string]any{"name": "zhao", "displayName": "赵敏", "role": "REQUESTER"})
	far := signedIn(t, nodes[2], "admin", password)

	open, shut := far.listen("ticket="+first+"&moves=1"), requester.listen("ticket="+first+"&moves=1")
	note(t, nodes[0], actor, first, "请稍候")
	open.hear("of the ticket", ofTicket)
	second := create(t, nodes[1], actor, "断网")
	heard := open.hear("of the ticket that is opened", func(e live.Events) bool { return len(e.Moves) > 0 })
	if move := heard[len(heard)-1].Moves[0]; move.Kind != "OPENED" || move.Number != second || move.From != "330106" || move.To != "330106" {
		t.Errorf("told is the move %+v", move)
	}
	nodes[2].feed.hub.Tell(live.News{Line: true})
	heard = shut.hear("of the line", ofLine)
	for _, e := range heard {
		if e.Ticket || e.Queues || e.Presence || len(e.Moves) > 0 {
			t.Errorf("a requester hears %+v of tickets that are not hers", e)
		}
	}
	if heard := far.listen("ticket="+first+"&age=59000").hear("of what it missed", ofTicket); len(heard) != 1 {
		t.Errorf("a page that was loaded before the change hears %v first", heard)
	}
	checkPresence(t, nodes, admin, far, first)
}

// note leaves an internal note on a ticket by a node.
func note(t *testing.T, n *Node, actor *deskpb.Actor, number, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, err := n.backend.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_Ticket{Ticket: &deskpb.TicketCommand{
		Number: number, Actor: actor, Request: asked(), Verb: &deskpb.TicketCommand_Note{Note: &deskpb.Note{Text: text}},
	}}})
	if err != nil {
		t.Fatalf("note on %s by node %s: %v", number, n.config.Node.ID, err)
	}
}

// checkPresence has somebody write at the first node, whom somebody at the last one sees by name, and nobody else.
func checkPresence(t *testing.T, nodes []*Node, admin, far *visitor, number string) {
	t.Helper()
	li := hire(t, admin, nodes[0], map[string]any{"name": "li", "displayName": "李工", "role": "AGENT"})
	path := "/t/" + number + "/presence"
	stream := far.listen("ticket=" + number)
	shows := func(text string, yes bool) func() string {
		return func() string {
			if status, page := far.get(path); status != http.StatusOK || strings.Contains(page, text) != yes {
				return fmt.Sprint(status, " ", page)
			}
			return ""
		}
	}
	if status, page := li.send(path, url.Values{"doing": {"writing"}}); status != http.StatusNoContent {
		t.Fatalf("a sign of li is answered %d %s", status, page)
	}
	stream.hear("that somebody is at the ticket", ofPresence)
	eventually(t, "li is seen writing", shows("李工正在输入…", true))
	if _, page := li.get(path); strings.Contains(page, "李工") {
		t.Errorf("li sees herself: %s", page)
	}
	li.send(path, url.Values{"doing": {"gone"}})
	eventually(t, "li is seen to have left", shows("李工", false))
	if status, _ := li.send(path, url.Values{"doing": {"sleeping"}}); status != http.StatusBadRequest {
		t.Errorf("a sign of no known kind is answered %d", status)
	}
	if status, _ := li.get("/t/330106-20261122-9999/presence"); status != http.StatusNotFound {
		t.Errorf("who is at a ticket that is not there is answered %d", status)
	}
}

func TestStreamsEndWithTheSessionAndWithTheNode(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	awaitReady(t, n)
	admin := signedIn(t, n, "admin", password)
	li := hire(t, admin, n, map[string]any{"name": "li", "displayName": "李工", "role": "AGENT"})
	if stranger := visit(t, n).listen(""); stranger.status != http.StatusUnauthorized {
		t.Errorf("the stream of a stranger is answered %d", stranger.status)
	}
	stream, other := li.listen(""), admin.listen("")
	li.send("/sign-out", nil)
	stream.ends("li has signed out")
	n.feed.hub.Tell(live.News{Line: true})
	other.hear("of the line", ofLine)

	stop(t, n)
	if err := other.ends("the node has stopped"); err != nil {
		t.Errorf("the stop waited for a stream until it cut it off: %v", err)
	}
}

// Somebody is told of a ticket: the bell counts it, the page lists it, and forgets it when it was read.
func TestNoticesAreReadOnAPage(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	awaitReady(t, n)
	admin := signedIn(t, n, "admin", password)
	li := hire(t, admin, n, map[string]any{"name": "li", "displayName": "李工", "role": "AGENT"})
	if _, page := li.get("/notices"); !strings.Contains(page, "还没有通知") {
		t.Errorf("without notices the page says %s", page)
	}
	stream := li.listen("")
	number := create(t, n, administratorOf(t, n), "<script>打印机</script>")
	admin.call("/api/v1/tickets/"+number+":assign", admin.token(), map[string]any{"assignee": "li"})
	stream.hear("of a notice", func(e live.Events) bool { return e.Notices })
	if _, bell := li.get("/part/notices"); !strings.Contains(bell, ">1<") || !strings.Contains(bell, "通知，1 条未读") {
		t.Errorf("the bell shows %s", bell)
	}
	_, page := li.get("/notices")
	for _, want := range []string{"工单派给您或您的处理组", "/t/" + number, "&lt;script&gt;打印机", "全部标为已读"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of notices does not have %q: %s", want, page)
		}
	}
	if status, page := li.send("/notices", url.Values{"through": {between(page, `name="through" value="`, `"`)}}); status != http.StatusSeeOther {
		t.Fatalf("marking as read is answered %d %s", status, page)
	}
	if _, bell := li.get("/part/notices"); strings.Contains(bell, "未读") {
		t.Errorf("after reading the bell shows %s", bell)
	}
	if status, part := li.get("/part/line"); status != http.StatusOK || !strings.Contains(part, "与 330100 的链路") || !strings.Contains(part, `hx-swap-oob`) {
		t.Errorf("the line is told as %d %s", status, part)
	}
}

// between is what stands between two texts for the first time.
func between(text, before, after string) string {
	_, text, _ = strings.Cut(text, before)
	text, _, _ = strings.Cut(text, after)
	return text
}
