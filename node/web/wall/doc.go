// Package wall has the pictures of how the offices stand: the wall 大屏 and the leader's page.
package wall
