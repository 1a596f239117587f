package tiers

import (
	"time"
)

// temper draws which blows fall on this world, the likely ones several times.
func (w *simWorld) temper() (blows []func() error) {
	all := []func() error{
		w.cut, w.cut, w.mend, w.mend, w.haunt, w.haunt, w.slow, w.elect, w.elect, w.dropNode, w.dropNode, w.crash,
	}
	if w.weather.storm || w.rng.IntN(2) == 0 {
		all = append(all, w.back, w.back, w.restore, w.rollBack, w.double, w.rebuild)
	}
	switch {
	case w.weather.storm:
		all = append(all, w.publish, w.move, w.move, w.move, w.move, w.elect, w.elect)
	case w.rng.IntN(2) == 0:
		all = append(all, w.publish, w.move, w.shut)
	}
	for _, blow := range all {
		if w.rng.IntN(4) > 0 {
			blows = append(blows, blow)
		}
	}
	return blows
}

func (w *simWorld) cut() error {
	id, line := w.line()
	silent := w.weather.storm || w.rng.IntN(2) == 0
	w.recorder.note("the line of %s is cut, silently: %v", id, silent)
	line.sever(silent)
	return nil
}

func (w *simWorld) mend() error {
	id, line := w.line()
	w.recorder.note("the line of %s is mended", id)
	line.mend()
	return nil
}

func (w *simWorld) haunt() error {
	id, line := w.line()
	d := time.Duration(w.rng.IntN(6000)) * time.Millisecond
	w.recorder.note("connections of %s hold their data back for %s", id, d)
	line.haunt(d)
	return nil
}

func (w *simWorld) slow() error {
	id, line := w.line()
	d := time.Duration(1+w.rng.IntN(400)) * time.Millisecond
	w.recorder.note("the line of %s takes %s", id, d)
	line.slow(d)
	return nil
}

func (w *simWorld) elect() error {
	s := w.site()
	leader := w.rng.IntN(3) - 1
	if leader >= 0 && s.nodes[leader].tiers.Load() == nil {
		leader = -1
	}
	w.recorder.note("%s is led by node %d", s.name, leader)
	s.elect(leader)
	return nil
}

// campaign lets sites without a leader find one, each after a while.
func (w *simWorld) campaign() {
	for _, s := range w.living("") {
		n := w.rng.IntN(2)
		if !s.led() && w.rng.IntN(4) == 0 && s.nodes[n].tiers.Load() != nil {
			w.recorder.note("%s is led by node %d", s.name, n)
			s.elect(n)
		}
	}
}

// dropNode stops a node, or starts it again.
func (w *simWorld) dropNode() error {
	s := w.site()
	n := s.nodes[w.rng.IntN(2)]
	if n.tiers.Load() == nil {
		w.recorder.note("%s starts", n.address())
		return n.start()
	}
	w.recorder.note("%s stops", n.address())
	other := 1 - n.number
	if s.nodes[other].tiers.Load() == nil {
		other = -1
	}
	s.elect(other)
	n.stop()
	return nil
}

// crash ends all nodes of a site at once and starts them from what the disks kept.
func (w *simWorld) crash() error {
	s := w.site()
	w.recorder.note("%s crashes", s.name)
	if err := s.crash(); err != nil {
		return err
	}
	return s.start()
}

// repair mends all lines and starts all nodes.
func (w *simWorld) repair() error {
	w.trouble.Store(0)
	for _, line := range w.lines {
		line.slow(2 * time.Millisecond)
		line.mend()
	}
	for _, s := range w.living("") {
		if err := s.start(); err != nil {
			return err
		}
	}
	return nil
}
