package node

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/config"
)

// Sizes of the office whose pages are measured: its open tickets and its accounts. One in ten works in a group; the others report problems.
const (
	benchedTickets   = 3000
	benchedGroups    = 20
	fewAccounts      = 100
	manyAccounts     = 10_000
	benchedProposers = 64
)

// BenchmarkPages measures what the pages cost that people look at all day, packed as browsers get them, at an office with few accounts
// and at one with many. What they allocate does not depend on what else the machine does, as their time does.
func BenchmarkPages(b *testing.B) {
	for _, accounts := range []int{fewAccounts, manyAccounts} {
		b.Run(fmt.Sprintf("accounts=%d", accounts), func(b *testing.B) {
			o := openOffice(b, accounts)
			for _, path := range []string{"/desk?queue=unassigned", "/desk?queue=all", "/desk/new", "/t/" + o.number, "/admin/duty"} {
				b.Run(strings.ReplaceAll(strings.ReplaceAll(path, "/", "_"), o.number, "NUMBER"), func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						o.look(b, path)
					}
				})
			}
		})
	}
}

// benchedOffice is an office of one node, and somebody who looks at its pages.
type benchedOffice struct {
	node   *Node
	token  string
	number string // of a ticket
}

// openOffice founds an office and fills it.
func openOffice(b *testing.B, accounts int) *benchedOffice {
	c := config.Default()
	c.Site = config.Site{ID: "330106", Name: "西湖区", Tier: config.County, Parent: "330100"}
	c.Node = config.Node{ID: "n1", DataDir: filepath.Join(b.TempDir(), "n1")}
	c.Listen = config.Addresses{HTTP: "127.0.0.1:0", GRPC: "127.0.0.1:0", Raft: "127.0.0.1:0", Gossip: "127.0.0.1:0"}
	n, err := Start(b.Context(), Options{Config: c, AdminPassword: password})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := n.Stop(context.Background()); err != nil {
			b.Error(err)
		}
	})
	o := &benchedOffice{node: n}
	for len(n.backend.Ready(b.Context())) > 0 {
		if b.Context().Err() != nil {
			b.Fatal("the office is not ready")
		}
	}
	opened, err := n.people.SignIn(b.Context(), &apipb.CreateSessionRequest{User: "admin", Password: password}, "", "")
	if err != nil {
		b.Fatal(err)
	}
	o.token = opened.GetToken()
	o.fill(b, accounts)
	return o
}

// fill gives the office groups, people and tickets.
func (o *benchedOffice) fill(b *testing.B, accounts int) {
	policy := "groups:\n"
	for i := range benchedGroups {
		policy += fmt.Sprintf("  - {name: %s, method: manual}\n", benchedGroup(i))
	}
	body, err := json.Marshal(map[string]string{"source": policy})
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/api/v1/policy", bytes.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+o.token)
	o.serve(b, r)
	o.propose(b, accounts, func(i int) *deskpb.Command {
		name := fmt.Sprintf("u%05d", i)
		user := &deskpb.User{Name: name, DisplayName: "李工" + name, PasswordHash: "none", Role: deskpb.User_REQUESTER}
		if i%10 == 0 {
			user.Role, user.Groups = deskpb.User_AGENT, []string{benchedGroup(i / 10 % benchedGroups)}
		}
		return &deskpb.Command{Kind: &deskpb.Command_PutUser{PutUser: &deskpb.PutUser{CreateOnly: true, User: user}}}
	})
	o.propose(b, benchedTickets, func(i int) *deskpb.Command {
		ticket := &deskpb.Ticket{
			Kind: deskpb.Ticket_INCIDENT, Title: fmt.Sprintf("综合业务平台无法登录 %06d", i), Description: strings.Repeat("综合业务平台无法登录", 34),
			Application: fmt.Sprintf("业务系统-%02d", i%40), Impact: 1 + int32(i%3), Urgency: 1 + int32(i/3%3), Tags: []string{"压测"},
			Requester: &deskpb.Requester{Name: fmt.Sprintf("刘洋%04d", i%2000), Unit: "业务窗口", Phone: fmt.Sprintf("0571-8%07d", i)},
		}
		return &deskpb.Command{Kind: &deskpb.Command_Ticket{Ticket: &deskpb.TicketCommand{
			Actor: &deskpb.Actor{User: "admin", Role: deskpb.User_ADMINISTRATOR},
			Verb:  &deskpb.TicketCommand_Create{Create: &deskpb.Create{Ticket: ticket}},
		}}}
	})
}

func benchedGroup(i int) string { return fmt.Sprintf("应用支持组-%02d", i) }

// propose has the office decide so many commands, many at a time, and keeps the number of the last ticket.
func (o *benchedOffice) propose(b *testing.B, count int, made func(i int) *deskpb.Command) {
	var proposing sync.WaitGroup
	todo := make(chan int)
	for range benchedProposers {
		proposing.Go(func() {
			for i := range todo {
				result, err := o.node.backend.site.Propose(b.Context(), made(i))
				if err != nil || result.GetRefusal() != nil {
					b.Errorf("command %d: %v, %v", i, result.GetRefusal(), err)
				}
				if i == count-1 {
					o.number = result.GetTicket().GetNumber()
				}
			}
		})
	}
	for i := range count {
		todo <- i
	}
	close(todo)
	proposing.Wait()
	if b.Failed() {
		b.FailNow()
	}
}

// look asks for a page as a browser does.
func (o *benchedOffice) look(b *testing.B, path string) {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.AddCookie(&http.Cookie{Name: "tierdesk_330106", Value: o.token})
	r.Header.Set("Accept-Encoding", "gzip")
	o.serve(b, r)
}

func (o *benchedOffice) serve(b *testing.B, r *http.Request) {
	w := httptest.NewRecorder()
	o.node.servers.http.Handler.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		b.Fatalf("%s %s: %d %s", r.Method, r.URL, w.Code, w.Body)
	}
}
