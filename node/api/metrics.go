package api

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"
)

// metrics measures the calls of the API, over gRPC and JSON alike.
type metrics struct {
	calls   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
}

func newMetrics(registerer prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tierdesk_api_calls_total",
			Help: "Calls of the API by method and gRPC code.",
		}, []string{"method", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "tierdesk_api_call_seconds",
			Help:    "How long calls of the API took, by method.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2.5, 12), // 1 ms to 24 s
		}, []string{"method"}),
	}
	for _, collector := range []prometheus.Collector{m.calls, m.seconds} {
		if err := registerer.Register(collector); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// observe counts one call. The method is the full gRPC name; the label is its last part, which is unique in the API.
func (m *metrics) observe(method string, code codes.Code, took time.Duration) {
	name := method[strings.LastIndexByte(method, '/')+1:]
	m.calls.WithLabelValues(name, code.String()).Inc()
	m.seconds.WithLabelValues(name).Observe(took.Seconds())
}
