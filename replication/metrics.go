package replication

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the replica's own figures; Raft's are in its library's.
type metrics struct {
	registerer prometheus.Registerer
	registered []prometheus.Collector

	groupSize prometheus.Histogram
	latency   prometheus.Histogram
}

// newMetrics registers nothing when the registerer is nil.
func newMetrics(registerer prometheus.Registerer, r *Replica) (*metrics, error) {
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "tierdesk", Subsystem: "replication", Name: name, Help: help}, value)
	}
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "tierdesk", Subsystem: "replication", Name: name, Help: help, Buckets: buckets,
		})
	}
	m := &metrics{
		registerer: registerer,
		groupSize:  histogram("group_commands", "Commands that share one log entry.", prometheus.ExponentialBuckets(1, 2, 10)),
		latency:    histogram("entry_seconds", "Time from handing an entry to the log until it is applied here.", prometheus.ExponentialBuckets(0.0005, 2, 14)),
	}
	all := []prometheus.Collector{
		m.groupSize, m.latency,
		gauge("queue_commands", "Commands that wait for the log.", func() float64 { return float64(r.queue.length()) }),
		gauge("applied_index", "Index of the last log entry applied here.", func() float64 {
			index, _ := r.position.get()
			return float64(index)
		}),
		gauge("leading_term", "The term this node leads in, 0 when it does not lead.", func() float64 {
			_, term, _ := r.leadership.get()
			return float64(term)
		}),
		gauge("log_first_index", "Index of the first entry in this node's log, 0 when there are none.", func() float64 {
			first, _ := r.disk.ends()
			return float64(first)
		}),
		gauge("log_last_index", "Index of the last entry in this node's log, 0 when there are none.", func() float64 {
			_, last := r.disk.ends()
			return float64(last)
		}),
		gauge("log_bytes", "What the files of this node's log take on the disk.", func() float64 { return float64(r.disk.size()) }),
		gauge("stable_bytes", "What the file of term and vote takes on the disk.", func() float64 {
			all, _ := r.disk.ballot.size()
			return float64(all)
		}),
		gauge("stable_free_bytes", "The part of the file of term and vote that holds nothing.", func() float64 {
			_, free := r.disk.ballot.size()
			return float64(free)
		}),
	}
	if registerer == nil {
		return m, nil
	}
	for _, c := range all {
		if err := registerer.Register(c); err != nil {
			m.unregister()
			return nil, fmt.Errorf("register the metrics of replication: %w", err)
		}
		m.registered = append(m.registered, c)
	}
	return m, nil
}

func (m *metrics) unregister() {
	for _, c := range m.registered {
		m.registerer.Unregister(c)
	}
}

func (m *metrics) grouped(commands int)         { m.groupSize.Observe(float64(commands)) }
func (m *metrics) appliedAfter(d time.Duration) { m.latency.Observe(d.Seconds()) }
