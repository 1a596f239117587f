package demo

import (
	"fmt"
	"os"

	"gopkg.in/yaml.v3"

	"github.com/tierdesk/tierdesk/node/config"
)

// SiteSpec is one office of the demo's tree.
type SiteSpec struct {
	ID     string      `yaml:"id"`
	Name   string      `yaml:"name"`
	Tier   config.Tier `yaml:"tier"`
	Parent string      `yaml:"parent"`
}

// Tree lists sites, every parent before its children.
type Tree []SiteSpec

// DefaultTree is a province, one of its cities and one of the city's counties.
func DefaultTree() Tree {
	return Tree{
		{ID: "330000", Name: "浙江省", Tier: config.Province},
		{ID: "330100", Name: "杭州市", Tier: config.City, Parent: "330000"},
		{ID: "330106", Name: "西湖区", Tier: config.County, Parent: "330100"},
	}
}

// maxSites keeps a demo within what one machine carries.
const maxSites = 120

// ReadTree reads a tree from a YAML file: a list of {id, name, tier, parent}.
func ReadTree(path string) (Tree, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the tree: %w", err)
	}
	defer file.Close()
	decoder := yaml.NewDecoder(file)
	decoder.KnownFields(true)
	var tree Tree
	if err := decoder.Decode(&tree); err != nil {
		return nil, fmt.Errorf("read the tree %s: %w; write a list of {id, name, tier, parent}", path, err)
	}
	if err := tree.validate(); err != nil {
		return nil, fmt.Errorf("the tree %s: %w", path, err)
	}
	return tree, nil
}

// validate checks what only the whole tree shows; each site's own keys are checked as a node's configuration.
func (t Tree) validate() error {
	if len(t) > maxSites {
		return fmt.Errorf("%d sites are more than a demo carries; the limit is %d", len(t), maxSites)
	}
	known := make(map[string]config.Tier)
	for _, site := range t {
		parent, seen := known[site.Parent]
		switch {
		case site.ID == "":
			return fmt.Errorf("a site has no id")
		case known[site.ID] != "":
			return fmt.Errorf("site %s stands in it twice", site.ID)
		case site.Tier == config.Province && site.Parent != "":
			return fmt.Errorf("site %s is a province and has the parent %s; leave parent out", site.ID, site.Parent)
		case site.Tier != config.Province && !seen:
			return fmt.Errorf("site %s has the parent %q, which does not stand before it", site.ID, site.Parent)
		case seen && parent.Proto() <= site.Tier.Proto():
			return fmt.Errorf("site %s (%s) cannot be under %s (%s)", site.ID, site.Tier, site.Parent, parent)
		}
		known[site.ID] = site.Tier
	}
	if _, err := t.path(); err != nil {
		return err
	}
	return nil
}

// path returns the first county under a city under a province, home first: where the main job is played.
func (t Tree) path() ([3]SiteSpec, error) {
	byID := make(map[string]SiteSpec)
	for _, site := range t {
		byID[site.ID] = site
	}
	for _, county := range t {
		city := byID[county.Parent]
		province := byID[city.Parent]
		if county.Tier == config.County && city.Tier == config.City && province.Tier == config.Province {
			return [3]SiteSpec{county, city, province}, nil
		}
	}
	return [3]SiteSpec{}, fmt.Errorf("the demo needs a county under a city under a province")
}
