package store

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// Metrics is how the database fares. Counts begin with the process; those of the cache with the database, which a
// restored checkpoint replaces.
type Metrics struct {
	DiskBytes      uint64 // all files of the database
	TableBytes     uint64 // live sorted tables alone
	CompactionDebt uint64 // bytes that compactions must still rewrite until every level has its size
	// ReadAmplification is how many tables a read may have to look into.
	ReadAmplification int
	WriteStalls       uint64    // times that writes had to wait until the database had caught up
	Stalled           bool      // writes wait now
	SlowWrites        uint64    // operations on the disk that took longer than slowDisk
	SlowWriteTime     time.Time // when the latest of them was noticed; zero before the first
	CacheHits         int64
	CacheMisses       int64
}

// Metrics measures the database. After Close it returns ErrClosed.
func (s *Store) Metrics() (Metrics, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.db == nil {
		return Metrics{}, ErrClosed
	}
	m := s.db.Metrics()
	return Metrics{
		DiskBytes:         m.DiskSpaceUsage(),
		TableBytes:        m.Table.Local.LiveSize,
		CompactionDebt:    m.Compact.EstimatedDebt,
		ReadAmplification: m.ReadAmp(),
		WriteStalls:       s.stalls.begun.Load(),
		Stalled:           s.stalls.now.Load(),
		SlowWrites:        s.directory.slow.times.Load(),
		SlowWriteTime:     s.directory.slow.latest(),
		CacheHits:         m.BlockCache.Hits,
		CacheMisses:       m.BlockCache.Misses,
	}, nil
}

// slowness counts operations on the disk that took longer than slowDisk.
type slowness struct {
	times atomic.Uint64
	last  atomic.Pointer[time.Time]
}

func (s *slowness) note() {
	now := time.Now()
	s.last.Store(&now)
	s.times.Add(1)
}

// latest is when an operation was slow last, zero when none was.
func (s *slowness) latest() time.Time {
	if last := s.last.Load(); last != nil {
		return *last
	}
	return time.Time{}
}

// stalls counts the waits of writes for the database.
type stalls struct {
	begun atomic.Uint64
	now   atomic.Bool
}

// beside adds the count to what the listener of a database does that is about to be opened.
func (s *stalls) beside(l *pebble.EventListener) *pebble.EventListener {
	s.now.Store(false)
	both := pebble.TeeEventListener(*l, pebble.EventListener{
		WriteStallBegin: func(pebble.WriteStallBeginInfo) {
			s.begun.Add(1)
			s.now.Store(true)
		},
		WriteStallEnd: func() { s.now.Store(false) },
	})
	return &both
}

// collector offers the database's figures to Prometheus.
type collector struct {
	store   *Store
	figures []figure
}

// figure is one number of Metrics.
type figure struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(Metrics) float64
}

func newFigure(name, help string, kind prometheus.ValueType, value func(Metrics) float64) figure {
	return figure{prometheus.NewDesc("tierdesk_store_"+name, help, nil, nil), kind, value}
}

// Register offers the database's main figures to Prometheus until the registry is given up. A closed store has none.
func (s *Store) Register(r prometheus.Registerer) error {
	const gauge, counter = prometheus.GaugeValue, prometheus.CounterValue
	err := r.Register(&collector{store: s, figures: []figure{
		newFigure("disk_bytes", "Bytes of the state's database on disk.", gauge,
			func(m Metrics) float64 { return float64(m.DiskBytes) }),
		newFigure("table_bytes", "Bytes of its live sorted tables.", gauge,
			func(m Metrics) float64 { return float64(m.TableBytes) }),
		newFigure("compaction_debt_bytes", "Bytes that compactions must still rewrite.", gauge,
			func(m Metrics) float64 { return float64(m.CompactionDebt) }),
		newFigure("read_amplification", "Tables that a read may have to look into.", gauge,
			func(m Metrics) float64 { return float64(m.ReadAmplification) }),
		newFigure("write_stalls_total", "Times that writes waited until the database had caught up.", counter,
			func(m Metrics) float64 { return float64(m.WriteStalls) }),
		newFigure("slow_disk_total", "Operations on the disk that took several seconds.", counter,
			func(m Metrics) float64 { return float64(m.SlowWrites) }),
		newFigure("cache_hits_total", "Block reads that the cache answered since the database was opened.", counter,
			func(m Metrics) float64 { return float64(m.CacheHits) }),
		newFigure("cache_misses_total", "Block reads that went to the disk since the database was opened.", counter,
			func(m Metrics) float64 { return float64(m.CacheMisses) }),
	}})
	if err != nil {
		return fmt.Errorf("register the metrics of the store: %w", err)
	}
	return nil
}

func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, f := range c.figures {
		out <- f.desc
	}
}

func (c *collector) Collect(out chan<- prometheus.Metric) {
	m, err := c.store.Metrics()
	if err != nil {
		return // a node that stops has closed its store
	}
	for _, f := range c.figures {
		out <- prometheus.MustNewConstMetric(f.desc, f.kind, f.value(m))
	}
}
