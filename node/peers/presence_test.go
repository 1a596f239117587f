package peers

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestSignsArriveWhole(t *testing.T) {
	var heard []PresenceSign
	c, address := dial(t, "330106"), serveSigns(t, func(signs []PresenceSign) { heard = append(heard, signs...) })
	signs := []PresenceSign{
		{Ticket: "330106-20261122-0001", User: "li", Name: "李工", Doing: "writing"},
		{Ticket: "330106-20261122-0002", User: "wang", Name: "王工", Doing: "gone"},
	}
	if err := c.TellPresence(t.Context(), address, signs); err != nil || !slices.Equal(heard, signs) {
		t.Fatalf("of %v arrives %v, %v", signs, heard, err)
	}
	for name, wrong := range map[string][]PresenceSign{
		"too many signs":       make([]PresenceSign, MaxSigns+1),
		"a name without bound": {{Ticket: "330106-20261122-0001", User: "li", Name: strings.Repeat("李", 1000), Doing: "viewing"}},
	} {
		if err := c.TellPresence(t.Context(), address, wrong); err == nil || !strings.Contains(err.Error(), "signs:") {
			t.Errorf("%s: %v, want a refusal that names them", name, err)
		}
	}
	if err := dial(t, "330108").TellPresence(t.Context(), address, signs); err == nil || len(heard) != len(signs) {
		t.Errorf("signs of another site are taken: %v, heard %v", err, heard)
	}
}

// A node that does not care for signs takes them as well.
func TestSignsNeedNobodyWhoHears(t *testing.T) {
	address := serve(t, &replica{}, nil)
	if err := dial(t, "330106").TellPresence(t.Context(), address, []PresenceSign{{Ticket: "1", User: "li", Doing: "viewing"}}); status.Code(err) != codes.OK {
		t.Error(err)
	}
}

// serveSigns runs a server of site 330106 that hears signs until the test ends.
func serveSigns(t *testing.T, hear func([]PresenceSign)) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	if err := Register(server, ServerOptions{Site: "330106", Replica: &replica{}, Links: func() Links { return links },
		Diagnose: func(context.Context) Diagnosis { return diagnosis }, Presence: hear}); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return listener.Addr().String()
}
