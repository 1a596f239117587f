package tiers

import "testing"

// A child knows its parent's time while the line lives, and does not go by an old one afterwards.
func TestParentTellsTheTime(t *testing.T) {
	top, middle, bottom := chainOfThree(t)
	agrees := func() bool {
		told, heard := bottom.tiers.ParentTime()
		return heard && middle.tiers.o.Now().Sub(told).Abs() < middle.tiers.pace.silence
	}
	eventually(t, "the county has heard the city's time", agrees)
	if told, heard := top.tiers.ParentTime(); heard {
		t.Errorf("the province, which has no parent, was told %s", told)
	}
	bottom.line.set(true)
	eventually(t, "the county does not go by an old time", func() bool {
		_, heard := bottom.tiers.ParentTime()
		return !heard
	})
	bottom.line.set(false)
	eventually(t, "the county has heard the city's time again", agrees)
}
