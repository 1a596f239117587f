//go:build race

package node

// retold are stories of the desk's people that real sites play too: those that have most go on at once, because the race
// detector makes a site many times slower.
func retold() []string {
	return []string{
		"4-desk/goes-home",
		"4-desk/not-accepted-in-time",
		"4-desk/parent-and-children",
		"7-cloud/inspection",
	}
}
