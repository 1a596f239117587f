package main

import (
	"strings"
	"testing"

	"github.com/tierdesk/tierdesk/node/config"
)

func TestATreeIsReadParentsFirst(t *testing.T) {
	tree, err := parseTree(strings.NewReader(`level,code,extra,name,parent
county,330106,1,西湖区,330100
city,330100,1,杭州市,330000
province,330000,1,浙江省,
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []place{
		{"330000", "浙江省", config.Province, ""}, {"330100", "杭州市", config.City, "330000"}, {"330106", "西湖区", config.County, "330100"},
	}
	for i, p := range want {
		if i >= len(tree) || tree[i] != p {
			t.Fatalf("read %v, want %v", tree, want)
		}
	}
}

func TestABadTreeIsRefused(t *testing.T) {
	const header = "code,name,level,parent\n"
	for name, c := range map[string]struct{ text, want string }{
		"empty":          {"", "it is empty"},
		"no column":      {"code,name,level\n", "no column parent"},
		"no province":    {header + "330100,杭州市,city,330000\n", "must have one province"},
		"two provinces":  {header + "330000,浙江省,province,\n310000,上海市,province,\n", "must have one province"},
		"unknown parent": {header + "330000,浙江省,province,\n330106,西湖区,county,330100\n", "not there"},
		"twice":          {header + "330000,浙江省,province,\n330100,杭州市,city,330000\n330100,杭州市,city,330000\n", "twice"},
		"not a table":    {header + "330000\n", "wrong number of fields"},
	} {
		if _, err := parseTree(strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", name, err, c.want)
		}
	}
}

func TestAMadeUpTreeIsOne(t *testing.T) {
	tree := smallTree(11, 90)
	if err := checkTree(tree); err != nil {
		t.Error(err)
	}
	if len(tree) != 1+11+90 {
		t.Errorf("it has %d offices, want 102", len(tree))
	}
}
