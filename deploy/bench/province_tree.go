package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/tierdesk/tierdesk/node/config"
)

// readTree reads a tree of offices from a CSV file whose header names the columns code, name, level (province, city or
// county) and parent, in any order, among others. Every office comes after its parent.
func readTree(path string) ([]place, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the tree: %w", err)
	}
	defer file.Close()
	tree, err := parseTree(file)
	if err != nil {
		return nil, fmt.Errorf("the tree %s: %w", path, err)
	}
	return tree, nil
}

func parseTree(from io.Reader) ([]place, error) {
	rows, err := csv.NewReader(from).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errors.New("it is empty")
	}
	column := make(map[string]int)
	for i, name := range rows[0] {
		column[name] = i
	}
	for _, name := range []string{"code", "name", "level", "parent"} {
		if _, there := column[name]; !there {
			return nil, fmt.Errorf("its header has no column %s", name)
		}
	}
	var tree []place
	for _, row := range rows[1:] {
		tree = append(tree, place{row[column["code"]], row[column["name"]], config.Tier(row[column["level"]]), row[column["parent"]]})
	}
	rank := []config.Tier{config.Province, config.City, config.County}
	slices.SortStableFunc(tree, func(a, b place) int { return slices.Index(rank, a.tier) - slices.Index(rank, b.tier) })
	return tree, checkTree(tree)
}

// checkTree wants one province first, and every other office below one that stands before it.
func checkTree(tree []place) error {
	known := make(map[string]bool)
	for i, p := range tree {
		switch {
		case (p.tier == config.Province) != (i == 0):
			return fmt.Errorf("it must have one province, and has %s %s as %s", p.id, p.name, p.tier)
		case p.tier != config.Province && !known[p.parent]:
			return fmt.Errorf("%s %s (%s) stands below %q, which is not there or no higher", p.id, p.name, p.tier, p.parent)
		case known[p.id]:
			return fmt.Errorf("%s stands in it twice", p.id)
		}
		known[p.id] = true
	}
	return nil
}

// smallTree is a tree of made-up offices, for those who have no file.
func smallTree(cities, counties int) []place {
	tree := []place{{"330000", "示例省", config.Province, ""}}
	for city := range cities {
		tree = append(tree, place{fmt.Sprintf("33%02d00", city+1), fmt.Sprintf("示例%02d市", city+1), config.City, "330000"})
	}
	for county := range counties {
		city := county % cities
		id := fmt.Sprintf("33%02d%02d", city+1, county/cities+1)
		tree = append(tree, place{id, "示例县" + id, config.County, fmt.Sprintf("33%02d00", city+1)})
	}
	return tree
}
