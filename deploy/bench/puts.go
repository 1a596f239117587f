package main

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"sync/atomic"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/load"
)

// puts makes the calls of a load at etcd: puts to keys of their own, key and value together as many bytes as the create
// of a ticket has on the wire, and linearizable gets of what was put. It is the interface of etcd's client over
// connections that this program dialled, so that both sides dial alike, and without what etcd's client adds around a
// call.
type puts struct {
	kvs     []clientv3.KV
	creates *load.Desk // words the tickets whose sizes are put
	prefix  string
	begun   atomic.Int64
	text    string // values are cut from it
}

// attemptTime is how long a call may take, on both sides.
const attemptTime = 10 * time.Second

func newPuts(l *lines, creates *load.Desk) *puts {
	const textBytes = 1 << 20
	text := make([]byte, textBytes)
	for i := range text {
		text[i] = byte(' ' + mathrand.IntN('~'-' '))
	}
	p := &puts{creates: creates, prefix: "load-" + rand.Text(), text: string(text)}
	for _, conn := range l.conns {
		p.kvs = append(p.kvs, clientv3.NewKVFromKVClient(pb.NewKVClient(conn), nil))
	}
	return p
}

func (p *puts) key(i int64) string { return fmt.Sprintf("%s-%d", p.prefix, i) }

// create puts one key.
func (p *puts) create(ctx context.Context, client int) (load.Outcome, error) {
	o := load.Outcome{Kind: load.Create}
	key := p.key(p.begun.Add(1))
	size := proto.Size(p.creates.Request()) - len(key)
	from := mathrand.IntN(len(p.text) - size)
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	_, err := p.kvs[client%len(p.kvs)].Put(ctx, key, p.text[from:from+size])
	return o, err
}

// read gets one key of those that were put. It runs when no put is under way.
func (p *puts) read(ctx context.Context, client int) (load.Outcome, error) {
	o := load.Outcome{Kind: load.Read}
	key := p.key(1 + mathrand.Int64N(p.begun.Load()))
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	answer, err := p.kvs[client%len(p.kvs)].Get(ctx, key)
	if err == nil && len(answer.Kvs) != 1 {
		err = status.Errorf(codes.NotFound, "the key %s is not there", key)
	}
	return o, err
}

func (p *puts) call(kind load.Kind) (load.Call, error) {
	switch kind {
	case load.Create:
		return p.create, nil
	case load.Read:
		return p.read, nil
	}
	return nil, fmt.Errorf("etcd has nothing to compare with the kind %q", kind)
}
