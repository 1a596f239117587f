package tiers

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tierdesk/tierdesk/desk"
)

// metrics measures the links. They are always counted; without a registerer nobody reads them.
type metrics struct {
	registerer prometheus.Registerer
	links      *prometheus.GaugeVec
	pending    *prometheus.GaugeVec
	parked     *prometheus.GaugeVec
	sent       *prometheus.CounterVec
	received   *prometheus.CounterVec
	handovers  *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	peer := []string{"peer"}
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "tierdesk", Subsystem: "link", Name: name, Help: help}, peer)
	}
	counter := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "tierdesk", Subsystem: "link", Name: name, Help: help}, peer)
	}
	m := &metrics{
		links:     gauge("up", "1 while this node carries the link and it is up."),
		pending:   gauge("pending_items", "Items written for the peer and not acknowledged."),
		parked:    gauge("parked_items", "Items from the peer that were set aside."),
		sent:      counter("sent_items_total", "Items sent to the peer, repetitions included."),
		received:  counter("received_items_total", "Items received from the peer and applied."),
		handovers: counter("handovers_total", "Hand-overs sent on their way to the peer."),
	}
	if r == nil {
		return m, nil
	}
	m.registerer = r
	for i, c := range m.collectors() {
		if err := r.Register(c); err != nil {
			for _, done := range m.collectors()[:i] {
				r.Unregister(done)
			}
			return nil, fmt.Errorf("register the metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.links, m.pending, m.parked, m.sent, m.received, m.handovers}
}

func (m *metrics) unregister() {
	if m.registerer == nil {
		return
	}
	for _, c := range m.collectors() {
		m.registerer.Unregister(c)
	}
}

func (m *metrics) up(peer desk.SiteID, up bool) {
	value := 0.0
	if up {
		value = 1
	}
	m.links.WithLabelValues(string(peer)).Set(value)
}

// forget drops the gauges of a link that this node does not carry any more.
func (m *metrics) forget(peer desk.SiteID) {
	m.links.DeleteLabelValues(string(peer))
	m.pending.DeleteLabelValues(string(peer))
	m.parked.DeleteLabelValues(string(peer))
}
