package store

import (
	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// Site returns nil before the site is founded.
func (r *Reader) Site() (*deskpb.Site, error) {
	return load[deskpb.Site](r, family(familySite))
}

// PutSite stores the site's own state.
func (b *Batch) PutSite(site *deskpb.Site) error { return b.put(family(familySite), site) }

// SiteInfo returns a site's entry in the directory of the tree, nil when there is none.
func (r *Reader) SiteInfo(id desk.SiteID) (*deskpb.SiteInfo, error) {
	return load[deskpb.SiteInfo](r, siteInfoKey(id))
}

// Directory returns the directory of the tree, by site.
func (r *Reader) Directory() ([]*deskpb.SiteInfo, error) {
	return list[deskpb.SiteInfo](r, under(family(familySiteInfo)))
}

// PutSiteInfo stores a site's entry in the directory of the tree.
func (b *Batch) PutSiteInfo(info *deskpb.SiteInfo) error {
	return b.put(siteInfoKey(desk.SiteID(info.GetId())), info)
}
