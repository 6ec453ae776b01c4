from tests.signals import heed

heed()
