"""From stored records to ranked rows and pages."""
