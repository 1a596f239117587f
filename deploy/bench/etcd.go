package main

import (
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/server/v3/embed"
	"google.golang.org/grpc"

	"github.com/tierdesk/tierdesk/testbed"
)

const memberCommand = "etcd-member"

// member runs one etcd member until SIGTERM: default settings, but for its addresses, its directory, and a quota that
// the load does not fill. Compaction stays off, as it is by default, and every write is synced.
func member(ctx context.Context, args []string) error {
	f := flag.NewFlagSet(memberCommand, flag.ContinueOnError)
	name := f.String("name", "", "of the member")
	dir := f.String("data-dir", "", "its data")
	clients := f.String("clients", "", "URL for clients")
	peers := f.String("peers", "", "URL for the other members")
	cluster := f.String("cluster", "", "name=URL of all members")
	if err := f.Parse(args); err != nil {
		return err
	}
	c := embed.NewConfig()
	c.Name, c.Dir, c.InitialCluster = *name, *dir, *cluster
	const quota = 8 << 30
	c.QuotaBackendBytes = quota
	clientURL, err := url.Parse(*clients)
	if err != nil {
		return fmt.Errorf("-clients: %w", err)
	}
	peerURL, err := url.Parse(*peers)
	if err != nil {
		return fmt.Errorf("-peers: %w", err)
	}
	c.ListenClientUrls, c.AdvertiseClientUrls = []url.URL{*clientURL}, []url.URL{*clientURL}
	c.ListenPeerUrls, c.AdvertisePeerUrls = []url.URL{*peerURL}, []url.URL{*peerURL}
	running, err := embed.StartEtcd(c)
	if err != nil {
		return fmt.Errorf("start the member: %w", err)
	}
	defer running.Close()
	select {
	case <-ctx.Done():
		return nil
	case err := <-running.Err():
		return err
	}
}

// etcd is a cluster of members as processes.
type etcd struct {
	workshop  *workshop
	members   []*process
	addresses []string // host:port for clients, that of the leader first once it is open
}

// newEtcd starts a cluster of so many members and waits until each of them serves reads.
func (w *workshop) newEtcd(ctx context.Context, name string, members int) (*etcd, error) {
	e := &etcd{workshop: w}
	free, err := testbed.Addresses(2 * members)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	e.addresses = free[:members]
	var cluster []string
	for i, peer := range free[members:] {
		cluster = append(cluster, fmt.Sprintf("m%d=http://%s", i+1, peer))
	}
	dir := filepath.Join(w.dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	for i := range members {
		id := fmt.Sprintf("m%d", i+1)
		command := exec.Command(self, memberCommand, "-name", id, "-data-dir", filepath.Join(dir, id),
			"-clients", "http://"+free[i], "-peers", "http://"+free[members+i], "-cluster", strings.Join(cluster, ","))
		p, err := w.start("member "+id, filepath.Join(dir, id+".log"), command)
		if err != nil {
			e.close()
			return nil, err
		}
		e.members = append(e.members, p)
	}
	if err := e.settle(ctx); err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

// settle waits for every member and puts the leader's address first.
func (e *etcd) settle(ctx context.Context) error {
	leader := 0
	for i, address := range e.addresses {
		conn, err := grpc.NewClient(address, plainDial()...)
		if err != nil {
			return err
		}
		defer conn.Close()
		err = e.members[i].await(ctx, readyWithin, "getting ready", func(ctx context.Context) error {
			if _, err := pb.NewKVClient(conn).Range(ctx, &pb.RangeRequest{Key: []byte("ready")}); err != nil {
				return err
			}
			status, err := pb.NewMaintenanceClient(conn).Status(ctx, &pb.StatusRequest{})
			if err == nil && status.GetLeader() == status.GetHeader().GetMemberId() {
				leader = i
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	e.addresses[0], e.addresses[leader] = e.addresses[leader], e.addresses[0]
	return nil
}

func (e *etcd) close() { stopAll(e.members) }
