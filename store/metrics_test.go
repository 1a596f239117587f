package store

import (
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"
)

func TestMetricsTellHowTheDatabaseFares(t *testing.T) {
	s, err := Open(Options{Dir: "data", FS: vfs.NewMem(), Site: "330106", Node: "n1", CacheBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewPedanticRegistry()
	if err := s.Register(registry); err != nil {
		t.Fatal(err)
	}
	if m, err := s.Metrics(); err != nil || m.DiskBytes == 0 || m.WriteStalls != 0 || m.Stalled {
		t.Errorf("a fresh store has %+v, %v; want some bytes and no stall", m, err)
	}

	listener := s.stalls.beside(&pebble.EventListener{})
	listener.WriteStallBegin(pebble.WriteStallBeginInfo{Reason: "memtables"})
	s.directory.slow.note()
	s.directory.slow.note()
	if m, err := s.Metrics(); err != nil || m.WriteStalls != 1 || !m.Stalled || m.SlowWrites != 2 || m.SlowWriteTime.IsZero() {
		t.Errorf("in a stall the metrics are %+v, %v; want one stall that lasts and two slow writes", m, err)
	}
	listener.WriteStallEnd()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]float64{}
	for _, family := range families {
		counts[family.GetName()] = family.GetMetric()[0].GetCounter().GetValue()
	}
	if counts["tierdesk_store_write_stalls_total"] != 1 || counts["tierdesk_store_slow_disk_total"] != 2 {
		t.Errorf("Prometheus is offered %v, want one stall and two slow writes", counts)
	}
	if m, err := s.Metrics(); err != nil || m.Stalled {
		t.Errorf("after the stall the metrics are %+v, %v; want no stall", m, err)
	}

	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Metrics(); !errors.Is(err, ErrClosed) {
		t.Errorf("metrics of a closed store: %v, want ErrClosed", err)
	}
	if families, err := registry.Gather(); err != nil || len(families) != 0 {
		t.Errorf("a closed store offers %d families of metrics, %v; want none", len(families), err)
	}
}
