// Package manage has the pages of those who look after the site: people, policy, sites and nodes, links, backups, and the audit log.
package manage
