package identity

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// numbered is a node with a certificate of that serial number.
func (a *authority) numbered(t *testing.T, node string, serial int64) *Identity {
	t.Helper()
	plan := certificate(t, "tierdesk://330106/"+node)
	plan.SerialNumber = big.NewInt(serial)
	o := a.issue(t, plan)
	o.Node = node
	i, err := Load(o)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestOnlyTheTreesOwnListsCount(t *testing.T) {
	tree, other := newAuthority(t, "tree"), newAuthority(t, "another tree")
	here := tree.numbered(t, "n1", 10)
	for name, list := range map[string][]byte{
		"no list":                 []byte("x"),
		"a list of another tree":  other.revoke(t, 1, 10),
		"a list that was changed": flip(tree.revoke(t, 1, 10)),
	} {
		if changed, err := here.Revoked(list); changed || err == nil {
			t.Errorf("%s: %v, %v", name, changed, err)
		}
	}
	if here.OwnRevoked() {
		t.Error("a refused list counts")
	}
	for _, step := range []struct {
		list    []byte
		changed bool
		own     bool // revoked
	}{
		{tree.revoke(t, 2, 9), true, false},
		{tree.revoke(t, 2, 10), false, false},
		{tree.revoke(t, 4, 9, 10), true, true},
		{tree.revoke(t, 3, 9), false, true},
	} {
		if changed, err := here.Revoked(step.list); changed != step.changed || err != nil || here.OwnRevoked() != step.own {
			t.Errorf("taken up: %v, %v; own revoked: %v; want %v and %v", changed, err, here.OwnRevoked(), step.changed, step.own)
		}
	}
}

// flip changes the last byte.
func flip(der []byte) []byte {
	der[len(der)-1] ^= 1
	return der
}

// A connection of a revoked certificate ends when the list comes, at the end that has it; the others go on.
func TestConnectionsOfTheRevokedEnd(t *testing.T) {
	tree := newAuthority(t, "tree")
	for _, end := range []string{"the server", "the dialler"} {
		t.Run(end+" has the list", func(t *testing.T) {
			server, good, bad := tree.numbered(t, "n1", 10), tree.numbered(t, "n2", 11), tree.numbered(t, "n3", 12)
			port := listen(t)
			serving := grpc.NewServer(grpc.Creds(server.ServerCredentials()))
			grpc_health_v1.RegisterHealthServer(serving, health.NewServer())
			served := make(chan error, 1)
			go func() { served <- serving.Serve(port) }()
			defer func() {
				serving.Stop()
				if err := <-served; err != nil {
					t.Error(err)
				}
			}()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			watch := func(caller *Identity) grpc.ServerStreamingClient[grpc_health_v1.HealthCheckResponse] {
				conn, err := grpc.NewClient("passthrough:///"+port.Addr().String(), grpc.WithTransportCredentials(caller.PeerCredentials()))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = conn.Close() })
				stream, err := grpc_health_v1.NewHealthClient(conn).Watch(ctx, &grpc_health_v1.HealthCheckRequest{})
				if err == nil {
					_, err = stream.Recv()
				}
				if err != nil || conn.GetState() != connectivity.Ready {
					t.Fatalf("they do not meet: %v", err)
				}
				return stream
			}
			kept, ended := watch(good), watch(bad)
			looking, list := server, tree.revoke(t, 1, 12)
			if end == "the dialler" {
				looking, list = bad, tree.revoke(t, 1, 10)
			}
			if changed, err := looking.Revoked(list); err != nil || !changed {
				t.Fatal(changed, err)
			}
			if _, err := ended.Recv(); err == nil || errors.Is(err, io.EOF) || ctx.Err() != nil {
				t.Errorf("the revoked one's stream ends with %v", err)
			}
			if err := kept.Context().Err(); err != nil {
				t.Errorf("the other one's stream ended: %v", err)
			}
			server.open.mu.Lock()
			defer server.open.mu.Unlock()
			if end == "the server" && len(server.open.all) != 1 {
				t.Errorf("the server holds %d connections with nodes, want 1", len(server.open.all))
			}
		})
	}
}

// Whoever comes through the handshake just when the list does is not forgotten.
func TestAListBetweenHandshakeAndWatch(t *testing.T) {
	tree := newAuthority(t, "tree")
	server, calling := tree.numbered(t, "n1", 10), tree.numbered(t, "n2", 11)
	near, far := line(t)
	defer near.Close()
	done := make(chan error, 1)
	go func() {
		_, _, err := calling.PeerCredentials().ClientHandshake(t.Context(), "n1", near)
		done <- err
	}()
	conn, info, err := (&transport{TransportCredentials: server.ServerCredentials(), identity: server}).TransportCredentials.ServerHandshake(far)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	shown := info.(caller).TLSInfo
	server.open.all = nil // as if the handshake were not watched yet
	if _, err := server.Revoked(tree.revoke(t, 1, 11)); err != nil {
		t.Fatal(err)
	}
	watched, _, err := server.watch(conn, shown)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := watched.Write([]byte{1}); err == nil {
		t.Error("the connection is open")
	}
}

// Intermediates are looked at too: whoever they vouch for goes with them.
func TestWhoIsBelowARevokedAuthorityIsOut(t *testing.T) {
	tree := newAuthority(t, "tree")
	here := tree.numbered(t, "n1", 10)
	if _, err := here.Revoked(tree.revoke(t, 1, 5)); err != nil {
		t.Fatal(err)
	}
	between := &x509.Certificate{SerialNumber: big.NewInt(5)}
	if here.revoked.Load().first([]*x509.Certificate{{SerialNumber: big.NewInt(11)}, between}) != between {
		t.Error("the one between was not found")
	}
}
