package wall

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// branches is a forest of a root with branches that have so many stations each.
func branches(counts ...int) forest {
	f := forest{root: "root", below: map[string][]string{}}
	for i, count := range counts {
		head := fmt.Sprintf("head%d", i)
		f.below["root"] = append(f.below["root"], head)
		for j := range count {
			f.below[head] = append(f.below[head], fmt.Sprintf("leaf%d.%d", i, j))
		}
	}
	return f
}

func repeat(count, times int) []int {
	counts := make([]int, times)
	for i := range counts {
		counts[i] = count
	}
	return counts
}

func TestALayoutGivesAsManyRowsAsItNeeds(t *testing.T) {
	for name, c := range map[string]struct {
		forest forest
		rows   int
		named  bool // every station has its name
	}{
		"an office alone":                     {branches(), 0, true},
		"a county below its city":             {branches(0), 0, true},
		"a province, a city and a county":     {branches(1), 1, true},
		"a city with thirteen counties":       {branches(13), 1, true},
		"a city with twenty counties":         {branches(20), 5, true},
		"a province of cities and a few":      {branches(3, 2, 2, 2, 1, 2, 2, 1, 1, 2, 2), 5, true},
		"a province with eleven cities alone": {branches(repeat(0, 11)...), 0, true},
		"a province of Zhejiang's size":       {branches(13, 10, 11, 7, 5, 6, 9, 6, 4, 9, 10), 13, true},
		"a province of Sichuan's size":        {branches(repeat(9, 21)...), 9, false},
	} {
		t.Run(name, func(t *testing.T) {
			placed, width := layOut(c.forest)
			if rows := c.forest.rows(width); rows != c.rows {
				t.Errorf("%d rows, want %d", rows, c.rows)
			}
			checkPlaces(t, c.forest, placed, width)
			for _, p := range placed {
				if c.named && (p.label == nowhere || p.room < 3*p.size) {
					t.Errorf("%s has no room for a name of three characters: %+v", p.id, p)
				}
				if strings.HasPrefix(p.id, "head") && p.label == nowhere {
					t.Errorf("the city %s has no room for its name", p.id)
				}
			}
		})
	}
}

func TestEveryStationHasAPlaceOfItsOwn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := branches(rapid.SliceOfN(rapid.IntRange(0, 14), 0, 21).Draw(t, "stations below each branch")...)
		placed, width := layOut(f)
		checkPlaces(t, f, placed, width)
	})
}

// checkPlaces finds stations that are missing, overlap or stand outside of the picture, and lines that lead from or to nowhere.
func checkPlaces(t interface{ Errorf(string, ...any) }, f forest, placed []place, width int) {
	want := map[string]bool{f.root: true}
	for _, ids := range f.below {
		for _, id := range ids {
			want[id] = true
		}
	}
	for i, p := range placed {
		if !want[p.id] {
			t.Errorf("%s is placed twice, or is nobody's", p.id)
		}
		delete(want, p.id)
		if p.r < 8 || p.x-p.r < 0 || p.x+p.r > width || p.y-p.h < 0 || p.y+p.h > pictureHeight {
			t.Errorf("%s is too small or stands outside of the picture: %+v", p.id, p)
		}
		if (p.path == "") != (i == 0) {
			t.Errorf("%s: its line is %q", p.id, p.path)
		}
		for _, other := range placed[:i] {
			if overlap(p, other) {
				t.Errorf("%s and %s overlap: %+v %+v", p.id, other.id, p, other)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("without a place: %v", want)
	}
}

// overlap tells whether two stations touch: circles by the distance of their middles, plates by their sides.
func overlap(a, b place) bool {
	if a.plate || b.plate {
		return max(a.x-b.x, b.x-a.x) < a.r+b.r && max(a.y-b.y, b.y-a.y) < a.h+b.h
	}
	return math.Hypot(float64(a.x-b.x), float64(a.y-b.y)) < float64(a.r+b.r)
}

func TestNamesAreCutToTheirRoom(t *testing.T) {
	for _, c := range []struct {
		name string
		room int
		want string
	}{
		{"西湖区", 60, "西湖区"},
		{"景宁畲族自治县", 72, "景宁畲…"},
		{"景宁畲族自治县", 10, "景…"},
		{"Xihu", 60, "Xihu"},
		{"", 0, ""},
	} {
		if got := fit(c.name, c.room, 20); got != c.want {
			t.Errorf("%q in %d units is %q, want %q", c.name, c.room, got, c.want)
		}
	}
}
